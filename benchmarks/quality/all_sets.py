"""The whole journey on every labelled set of the shared data: init, run, ask, answer, run, export, predict.

Prints one line per set: rows, learner, baseline on dev, verdicts, test before and after with interval, CPU seconds, peak memory.
Answers are simulated by confirming the given label, so the second run shows the mechanics, not a gain. The data lies
beside the repository, in ../shared/data; a set that is not there is left out.

    python -m benchmarks all_sets [SET ...]
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks._process import Spent, spent

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

SETS: dict[str, list[str]] = {
    "adult": ["adult/adult.parquet", "--label", "income"],
    "acs_income": ["acs_income/acs_income_sample.parquet", "--label", "PINCP"],
    "ag_news_test": ["ag_news_test/test.parquet", "--label", "class"],
    "bank_marketing": ["bank_marketing/bank_marketing.parquet", "--label", "y"],
    "banking77": ["train=banking77/train.parquet", "test=banking77/test.parquet", "--label", "category"],
    "cifar10_worse": ["cifar10/train_20k.parquet", "--label", "worse_label"],
    "credit_default": ["credit_default/credit_default.parquet", "--label", "default.payment.next.month"],
    "elec2": ["elec2/elec2.parquet", "--label", "class", "--time", "ROW_ORDER"],
    "imdb": [
        "train=imdb_counterfactual/train_paired.parquet",
        "dev=imdb_counterfactual/dev_paired.parquet",
        "test=imdb_counterfactual/test_paired.parquet",
        "--label",
        "Sentiment",
    ],
    "roman_numerals": ["roman_numerals/roman_numerals.parquet", "--label", "label"],
    "sms_spam": ["sms_spam/sms_spam.parquet", "--label", "label"],
    "youtube_spam": ["youtube_spam/youtube_spam.parquet", "--label", "CLASS"],
}


def main(names: list[str]) -> int:
    """Run the named sets, or all of them."""
    print(
        "| set | rows train/dev/test/pool | learner | dev baseline | kept/refused/undecided | test before → after, gain | CPU s | MB |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name in names or SETS:
        if (DATA / SETS[name][0].split("=")[-1]).exists():
            with tempfile.TemporaryDirectory() as folder:
                print(_line(name, Path(folder)), flush=True)
    return 0


def _tilth(folder: Path, *arguments: str) -> str:
    return _measured(folder, *arguments).printed


def _measured(folder: Path, *arguments: str) -> Spent:
    """Run a command; returns what it printed, and the CPU time and peak memory of that process alone."""
    took = spent([sys.executable, "-c", "from tilth.cli import main; main()", *arguments, "--dir", str(folder)])
    if took.status:
        raise RuntimeError(f"tilth {' '.join(arguments)}: exit {took.status}\n{took.errors[-2000:]}")
    return took


def _source(argument: str) -> str:
    if argument.startswith("--") or "/" not in argument:
        return argument
    split, _, path = argument.rpartition("=")
    return f"{split}={DATA / path}" if split else str(DATA / path)


def _line(name: str, folder: Path) -> str:
    try:
        begun = _measured(folder, "init", *map(_source, SETS[name]))
        once = _measured(folder, "run", "--json")
        first = json.loads(once.printed)
        _answer(folder)
        _tilth(folder, "run", "--json")
        _tilth(folder, "export", "latest", str(folder / "clean.parquet"))
        _tilth(folder, "predict", str(folder / "clean.parquet"), "-o", str(folder / "out.csv"))
        _tilth(folder, "report")
    except RuntimeError as error:
        return f"| {name} | failed: {str(error).splitlines()[-1][:200]} |"
    return _row(name, first, begun.cpu + once.cpu, max(begun.memory, once.memory))


def _answer(folder: Path) -> None:
    """Ask ten questions and confirm the given labels."""
    questions = folder / "questions.csv"
    _tilth(folder, "ask", "--top", "10", "-o", str(questions))
    with questions.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with questions.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["row_id", "answer"])
        writer.writeheader()
        writer.writerows({"row_id": row["row_id"], "answer": row["given"]} for row in rows)
    _tilth(folder, "answer", str(questions))


def _row(name: str, run: dict[str, object], cpu: float, memory: float) -> str:
    facts = json.loads(json.dumps(run))
    splits, test = facts["dataset"]["splits"], facts["test"]
    verdicts = Counter(trial["verdict"] for trial in facts["trials"])
    low, high = test["interval"]
    return (
        f"| {name} | {splits['train']}/{splits['dev']}/{splits['test']}/{splits['pool']} | {facts['model']['learner']} "
        f"| {facts['baseline']['dev']['value']:.4f} | {verdicts['kept']}/{verdicts['refused']}/{verdicts['undecided']} "
        f"| {test['before']:.4f} → {test['after']:.4f}, {test['gain']:+.4f} [{low:+.4f}, {high:+.4f}] | {cpu:.0f} | {memory:.0f} |"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
