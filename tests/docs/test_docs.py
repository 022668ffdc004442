"""The documentation holds: every command exists, every block runs or says why not, every link leads somewhere."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from docs_blocks import ROOT, blocks_of, commands_of, documents

PAGES = documents()
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)(?:#[^)]*)?\)")
SECONDS = 300


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _runs(page: Path) -> bool:
    return any(block.is_code and not block.not_run for block in blocks_of(page))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_blocks_are_marked_rightly(page):
    for block in blocks_of(page):
        assert block.language in {"console", "python", "yaml", "toml", "text"}, f"line {block.line}: {block.language}"
        assert block.is_code or not block.not_run, f"line {block.line}: only code can be left out"
        if block.language == "console":
            assert commands_of(block), f"line {block.line}: no line starts with $"


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists() or target.startswith(("docs/reference", "../reference")), target


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_commands_exist(page):
    """Every `tilth …` line parses: command, options and number of arguments."""
    from typer.main import get_command

    from tilth.cli.app import app

    root = get_command(app)
    for block in blocks_of(page):
        for line in commands_of(block) if block.language == "console" else ():
            for part in re.split(r"&&|\|", re.sub(r"\$\([^)]*\)", "X", line)):
                words = shlex.split(part.split(" > ")[0])
                if words[:1] != ["tilth"] or words[1:2] in (["--version"], ["--help"], []):
                    continue
                command = root.commands.get(words[1])
                assert command is not None, f"line {block.line}: {line}"
                if "--help" not in words:
                    command.make_context(words[1], words[2:])


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_yaml_keys_exist(page):
    """What a page shows of tilth.yaml has keys and words that the project file knows."""
    from tilth.core.schema import ColumnType, Role, Visibility
    from tilth.loop.project_file import KEYS

    known = {"type": set(ColumnType), "role": set(Role), "visibility": set(Visibility), "at_serving": {True, False}}
    for block in blocks_of(page):
        shown = yaml.safe_load(block.text) if block.language == "yaml" else {}
        assert set(shown) <= set(KEYS), f"line {block.line}"
        for column in shown.get("columns", {}).values():
            assert all(value in known[key] for key, value in column.items()), f"line {block.line}: {column}"
        assert set(shown.get("splits", {})) <= {"column", "names", "shares", "time"}


@pytest.fixture
def bench(tmp_path):
    """A folder with the demo's data, as `tilth demo` leaves it."""
    from tilth.cli import demo
    from tilth.cli._demo_data import plant

    world = plant(demo.SEED)
    home = tmp_path / "tilth-demo"
    home.mkdir()
    pq.write_table(world.table, home / "digits.parquet")
    pq.write_table(world.new, home / "new.parquet")
    demo._write_truth(home, world)
    assert isinstance(world.table, pa.Table)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if _runs(page)], ids=_name)
def test_blocks_run(page, bench):
    """All blocks of a page run, in order, in one folder; each python block stands alone; `cd` holds for all that follows."""
    here = bench
    for block in blocks_of(page):
        if not block.is_code or block.not_run:
            continue
        if block.language == "python":
            _run([sys.executable, "-c", block.text], here, f"{page.name}, line {block.line}")
            continue
        for command in commands_of(block):
            if command.startswith("cd "):
                here = (here / command.removeprefix("cd ")).resolve()
            else:
                _run(["bash", "-ec", command], here, f"{page.name}, line {block.line}: {command}")


def _run(command: list[str], folder: Path, what: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, f"{what}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
