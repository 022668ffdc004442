"""The rows behind the surprises: the twenty train rows of each real set that `label_error` ranks highest, for a person to judge.

Labels are as published, nothing is planted; a project finds as a run does, seed 0. Where the truth is known (cifar10 by its
clean labels, elec2 by the rule that made its labels) two more columns give it, and the head counts the wrong ones; elsewhere
docs/label-errors-by-eye.md has the verdicts of one reader. Texts are cut and long numbers masked; images go to contact sheets
in the folder that --images names, outside the repository. The data may be shown on the screen, not published: not for `--write`.

    python -m benchmarks by_eye [SET ...] [--images FOLDER] [--top 20] [--signs 120]
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageDraw

import tilth
from benchmarks.quality.all_sets import SETS as JOURNEYS
from tilth.core.finding import Finding
from tilth.detection.label_error import LabelError
from tilth.loop.found import Found
from tilth.numerics.intervals import wilson

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
LONG_NUMBER = re.compile(r"\d(?:[ .-]?\d){4,}")
MARKS = re.compile(r"([\\`*_{}\[\]<>|#~$])")
TILE, COLUMNS = 160, 5
DAY = 48
CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
PEOPLE = ("aggre_label", "random_label1", "random_label2", "random_label3", "worse_label")

Truth = Callable[[], Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One set: how it is opened, the cells that tell most, or the column of images, and the truth where it is known."""

    source: Callable[[], Any]
    options: Mapping[str, Any]
    cells: Sequence[str] = ()
    image: str = ""
    truth: Truth | None = None


@dataclass(frozen=True, kw_only=True)
class Doubted:
    """One row of the list."""

    row_id: str
    given: str
    suggested: str
    score: float
    cells: Mapping[str, Any]


def main(arguments: list[str]) -> int:
    """Print the rows of the named sets, or of all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks by_eye", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sets", nargs="*", metavar="SET", help=", ".join(SETS))
    parser.add_argument("--images", type=Path, help="folder for contact sheets; without it none are made")
    parser.add_argument("--top", type=int, default=20, help="rows of each set")
    parser.add_argument("--signs", type=int, default=120, help="longest excerpt")
    options = parser.parse_args(arguments)
    if unknown := set(options.sets) - set(SETS):
        parser.error(f"no such set: {', '.join(sorted(unknown))}")
    if options.images and options.images.resolve().is_relative_to(ROOT):
        parser.error("--images must lie outside the repository: the images may not be published")
    for name in options.sets or SETS:
        try:
            shown = SETS[name]
            rows = doubted(shown, options.top)
        except FileNotFoundError as absent:
            print(f"{absent} is not among the shared data: {name} is left out", file=sys.stderr)
            continue
        print("\n".join(_section(name, shown, rows, options.signs)), flush=True)
        if options.images and shown.image:
            contact_sheet(rows, shown.image, options.images / f"{name}.png")
    return 0


# -- sets --------------------------------------------------------------------------------------------------------------


def _at(path: str) -> str:
    if not (DATA / path).exists():
        raise FileNotFoundError(path)
    return str(DATA / path)


def _journey(name: str, cells: Sequence[str], image: str = "") -> Shown:
    """Return a set as `all_sets` opens it."""
    words = JOURNEYS[name]
    cut = next(i for i, word in enumerate(words) if word.startswith("--"))
    options = {words[i].removeprefix("--"): words[i + 1] for i in range(cut, len(words), 2)}

    def source() -> Any:
        named = [word.rpartition("=") for word in words[:cut]]
        return {split: _at(path) for split, _, path in named} if named[0][0] else _at(named[0][2])

    return Shown(source=source, options=options, cells=cells, image=image)


def _people(label: str) -> Shown:
    """Return cifar10 with one set of people's labels; the clean labels stay outside."""

    def read(column: str) -> tuple[pa.Table, pa.Array]:
        table = pq.read_table(_at("cifar10/train_20k.parquet"), columns=["idx", "jpg", column])
        return table, pa.array([CIFAR[code] for code in table.column(column).to_pylist()])

    def source() -> pa.Table:
        table, names = read(label)
        return table.drop_columns([label]).append_column("label", names)

    def truth() -> Mapping[str, str]:
        table, names = read("label")
        return dict(zip(map(str, table.column("idx").to_pylist()), names.to_pylist(), strict=True))

    return Shown(source=source, options={"label": "label", "id": "idx"}, image="jpg", truth=truth)


def _prices() -> pa.Table:
    table = pq.read_table(_at("elec2/elec2.parquet"))
    return table.append_column("row", pa.array(np.arange(table.num_rows)))


def _rises() -> Mapping[str, str]:
    """Return elec2's labels by their definition: whether the price is above the mean of the day before."""
    price = np.asarray(_prices().column("nswprice"))
    sums = np.concatenate([[0.0], np.cumsum(price)])
    rows = np.arange(DAY, len(price))
    rises = price[rows] > (sums[rows] - sums[rows - DAY]) / DAY
    return {str(row): str(int(is_up)) for row, is_up in zip(rows, rises, strict=True)}


SETS: Mapping[str, Shown] = {
    "ag_news_test": _journey("ag_news_test", ["title", "description"]),
    "imdb": _journey("imdb", ["Text"]),
    "banking77": _journey("banking77", ["text"]),
    "sms_spam": _journey("sms_spam", ["text"]),
    "youtube_spam": _journey("youtube_spam", ["CONTENT"]),
    "roman_numerals": _journey("roman_numerals", [], image="png"),
    "adult": _journey("adult", ["education", "occupation", "capital_gain", "hours_per_week"]),
    "acs_income": _journey("acs_income", ["SCHL", "OCCP", "WKHP", "COW"]),
    "bank_marketing": _journey("bank_marketing", ["duration", "poutcome", "month", "contact"]),
    "credit_default": _journey("credit_default", ["PAY_0", "PAY_2", "PAY_AMT1", "LIMIT_BAL"]),
    "elec2": Shown(
        source=_prices,
        options={"label": "class", "id": "row", "time": "ROW_ORDER"},
        cells=["nswprice", "period", "nswdemand"],
        truth=_rises,
    ),
    **{f"cifar10_{name}": _people(name) for name in PEOPLE},
}


# -- rows --------------------------------------------------------------------------------------------------------------


def doubted(shown: Shown, top: int) -> list[Doubted]:
    """Return the train rows whose labels are doubted most, worst first; fewer where fewer have a severity."""
    with tempfile.TemporaryDirectory(prefix="tilth-") as folder:
        found = tilth.init(shown.source(), folder=folder, **shown.options).find()
        claims = [finding for finding in found.findings if finding.operator.name == "label_error"]
        return _worst(found, claims[0], shown, top) if claims else []


def _worst(found: Found, claim: Finding, shown: Shown, top: int) -> list[Doubted]:
    worst = np.argsort(-claim.severity, kind="stable")[:top]
    ids = claim.ids.take(pa.array(worst))
    columns = [*shown.cells, *([shown.image] if shown.image else [])]
    cells = found.dataset.read(*columns).take(pa.array(found.dataset.positions(ids))).to_pylist()
    return [
        Doubted(
            row_id=ids[i].as_py(),
            given=str(claim.evidence["given"][row]),
            suggested=str(claim.evidence["suggested"][row]),
            score=float(claim.severity[row]),
            cells=cells[i],
        )
        for i, row in enumerate(worst)
    ]


# -- what is shown -----------------------------------------------------------------------------------------------------


def _section(name: str, shown: Shown, rows: Sequence[Doubted], signs: int) -> Iterator[str]:
    yield f"## {name}\n"
    if not rows:
        yield "`label_error` doubts no row.\n"
        return
    truth = shown.truth() if shown.truth else None
    scores = [row.score for row in rows]
    flagged = sum(score > LabelError().doubt for score in scores)
    stated = f"mean {np.mean(scores):.3f}, median {np.median(scores):.3f}"
    yield f"{len(rows)} rows, seed 0; stated score: {stated}; {flagged} flagged."
    if truth is not None:
        yield _count(rows, truth)
    yield "\n| rank | row | given | suggested | score | excerpt |" + (" truth | verdict |" if truth is not None else "")
    yield "|---|---|---|---|---|---|" + ("---|---|" if truth is not None else "")
    for rank, row in enumerate(rows, start=1):
        line = [str(rank), row.row_id, plain(row.given), plain(row.suggested), f"{row.score:.3f}"]
        line.append(_excerpt(row, shown, signs))
        if truth is not None:
            known = truth.get(row.row_id)
            line += [known or "–", "cannot tell" if known is None else "right" if known == row.given else "wrong"]
        yield f"| {' | '.join(line)} |"
    yield ""


def _count(rows: Sequence[Doubted], truth: Mapping[str, str]) -> str:
    judged = [row for row in rows if row.row_id in truth]
    wrong = sum(truth[row.row_id] != row.given for row in judged)
    hits = sum(truth[row.row_id] == row.suggested for row in judged)
    share = wilson(wrong, max(len(judged), 1))
    return (
        f"{wrong} of {len(judged)} wrong by the known truth (95 % Wilson interval {share.low:.2f} to {share.high:.2f}); "
        f"{hits} suggestions are the truth."
    )


def _excerpt(row: Doubted, shown: Shown, signs: int) -> str:
    texts = {name: row.cells[name] for name in shown.cells}
    if not texts:
        return "image"
    if len(texts) == 1 or all(isinstance(value, str) and " " in value for value in texts.values()):
        return excerpt(" / ".join(str(value) for value in texts.values()), signs)
    return excerpt(", ".join(f"{n} {_number(value)}" for n, value in texts.items()), signs, mask=False)


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def excerpt(text: str, signs: int, *, mask: bool = True) -> str:
    """Return a text on one line, long numbers masked, cut to so many signs, safe in a cell of a Markdown table."""
    line = " ".join(text.split())
    if mask:
        line = LONG_NUMBER.sub("#", line)
    return plain(line if len(line) <= signs else line[: signs - 1] + "…")


def plain(text: str) -> str:
    r"""Return a text whose signs mean nothing to Markdown: `a|b` becomes `a\|b`."""
    return MARKS.sub(r"\\\1", text)


def contact_sheet(rows: Sequence[Doubted], image: str, path: Path) -> None:
    """Write the images as a grid, each with its rank, given and suggested label above it."""
    height = -(-len(rows) // COLUMNS) * (TILE + 16)
    sheet = Image.new("RGB", (COLUMNS * TILE, height), "white")
    pen = ImageDraw.Draw(sheet)
    for i, row in enumerate(rows):
        x, y = i % COLUMNS * TILE, i // COLUMNS * (TILE + 16)
        pen.text((x + 3, y + 2), f"{i + 1}. {row.given} > {row.suggested}", fill="black")
        with Image.open(io.BytesIO(row.cells[image])) as found:
            small = found.convert("RGB")
            scale = (TILE - 6) / max(small.size)
            size = (max(1, round(small.width * scale)), max(1, round(small.height * scale)))
            sheet.paste(small.resize(size, Image.Resampling.BICUBIC), (x + 3, y + 15))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main(sys.argv[1:]))
