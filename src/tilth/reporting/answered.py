"""What came of a file of answers, in words."""

from __future__ import annotations

from tilth.core.answered import Answered

__all__ = ["answered_text"]


def answered_text(taken: Answered, file: str) -> str:
    """Return the lines that say what came of a file: labels confirmed and changed, disputes, and what was dropped."""
    read = [] if taken.manifest is None else taken.manifest.say()
    if not taken.answers:
        empty = f"the column `answer` of {file} is empty"
        stand = f"{taken.skipped:,} answers stand already" if taken.skipped else empty
        return "\n".join([*read, f"nothing new: {stand}; still {taken.version}"])
    where = ", ".join(f"{n:,} {name}" for name, n in taken.by_split.items())
    who = f" of {taken.annotators:,} people on {taken.rows:,} rows" if _is_shared(taken) else ""
    head = f"{taken.answers:,} answers{who} ({where}): {_labels(taken)}; now {taken.version}"
    return "\n".join([*read, f"{head}; next: {_next(taken)}", *_people(taken)])


def _is_shared(taken: Answered) -> bool:
    return taken.annotators > 1 or taken.answers != taken.rows


def _labels(taken: Answered) -> str:
    said = [f"{taken.confirmed:,} confirm the label", f"{taken.changed - taken.first:,} change it"]
    said += [f"{taken.first:,} are first labels"] if taken.first else []
    return ", ".join(said)


def _people(taken: Answered) -> list[str]:
    """Return what is to be said where several people answered."""
    sure, lines = f"{taken.sure:.2g}", []
    if taken.settled:
        lines.append(
            f"people differ on {taken.settled:,} rows, and their consensus is sure enough to be trusted (p at least {sure} by the model)"
        )
    if taken.disputed:
        lines.append(
            f"{taken.disputed:,} rows are disputed (consensus below p {sure}): they keep their former label, untrusted;"
            " tilth ask asks them first, tilth answer --adjudicate settles them"
        )
    if taken.derived:
        lines.append(f"on {taken.derived:,} other rows earlier answers come to something else now")
    if taken.gold:
        lines.append(
            f"{taken.gold:,} rows were gold questions: their labels stay, and the answers tell how good people are"
        )
    return lines


def _next(taken: Answered) -> str:
    return "tilth ask" if taken.disputed and not taken.confirmed + taken.changed else "tilth run"
