"""The public surface is a promise: the names of the package, and the reference that is made from the code."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import tilth
from tilth.core import errors
from tilth.core.errors import TilthError

ROOT = Path(__file__).resolve().parents[2]
SURFACE = {
    "Column",
    "Dataset",
    "Edit",
    "Finding",
    "LabelSummary",
    "NotApplicable",
    "Recipe",
    "RowSet",
    "RunSummary",
    "Schema",
    "Slice",
    "SliceSummary",
    "Target",
    "Task",
    "TilthError",
    "Trial",
    "Verdict",
    "View",
    "__version__",
    "check",
    "find",
    "generator",
    "init",
    "label",
    "labeler",
    "open",
    "slice",
    "transform",
    "slices",
}


def test_the_surface_is_pinned_and_small():
    assert set(tilth.__all__) == SURFACE
    assert len(tilth.__all__) == len(SURFACE) <= 40


def test_every_public_name_is_there_and_described():
    assert dir(tilth) == sorted(SURFACE)
    assert all((getattr(tilth, name).__doc__ or "").strip() for name in SURFACE - {"__version__"})


def test_nothing_public_is_without_a_docstring():
    """Every module, class, function and method whose name does not begin with _; what is local to a function is not public."""
    package = ROOT / "src" / "tilth"
    bare = [f"{path.relative_to(package)}: {name}" for path in package.rglob("*.py") for name in undescribed(path)]
    assert bare == [], "describe these in a docstring"


def undescribed(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if path.name != "__init__.py" or tree.body:
        yield from (["the module"] if ast.get_docstring(tree) is None else [])
    inside = [(tree, "")]
    while inside:
        scope, prefix = inside.pop()
        for node in scope.body:
            if isinstance(node, ast.ClassDef):
                inside.append((node, f"{prefix}{node.name}."))
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                is_overload = any(ast.unparse(one).endswith(("overload", ".setter")) for one in node.decorator_list)
                if not node.name.startswith("_") and not is_overload and ast.get_docstring(node) is None:
                    yield f"{prefix}{node.name}, line {node.lineno}"


def test_the_check_of_docstrings_sees_what_lacks_one(tmp_path: Path):
    path = tmp_path / "module.py"
    code = '''"""Doc."""\nclass _Made:\n    def of(self): ...\n    def _own(self): ...\ndef act():\n    def local(): ...\n'''
    path.write_text(code, encoding="utf-8")
    assert list(undescribed(path)) == ["act, line 5", "_Made.of, line 3"]


def test_no_other_name_is_made_up():
    assert not hasattr(tilth, "fnid")


def test_every_error_code_has_a_section():
    page = (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
    sections = set(re.findall(r"^#+ (TILTH-E\d{3})\b", page, flags=re.MULTILINE))
    kinds = [getattr(errors, name) for name in errors.__all__ if isinstance(getattr(errors, name), type)]
    assert sections == {kind.code for kind in kinds if issubclass(kind, TilthError)}


def test_the_reference_is_current():
    """When this fails: make docs."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "make_reference.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
