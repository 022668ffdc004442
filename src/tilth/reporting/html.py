"""HTML: one run as one page that holds everything it shows: no scripts, nothing from outside, below 2 MB.

What the page shows comes from data that nobody has checked. All of it goes through the template's escaping, control
signs are written out, images are data: URIs of kinds that cannot run code, and a content security policy forbids more.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tilth.core.summary import Exhibit, HistoryLine, RunSummary
from tilth.reporting._exhibits import Fitted, fit
from tilth.reporting._page import page_of
from tilth.reporting.charts import severity_svg
from tilth.reporting.figures import Scale, unbroken, whole

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["LARGEST_PAGE", "report"]

LARGEST_PAGE = 1_900_000
"""Bytes that a page has at most; larger ones are slow to open and to send."""
_FEWEST = 4_096
_TEMPLATES = Path(__file__).parent / "templates"


def report(
    summary: RunSummary,
    exhibits: Sequence[Exhibit],
    history: Sequence[HistoryLine],
    *,
    messages: bool = True,
    largest: int = LARGEST_PAGE,
) -> str:
    """Return a run as one self-contained HTML page.

    Parameters
    ----------
    summary : what the run did
    exhibits : the worst rows of findings, with the cells and images that may be shown, in the order of the findings
    history : the versions of the project, the newest first
    messages : False where a column is hidden: an error's message may quote a cell, and then it is left out
    largest : bytes that the page may have; images are left out first, then rows, and the page says so
    """
    without = _render(summary, Fitted(exhibits=()), history, messages)
    allowance = largest - len(without.encode())
    while allowance > _FEWEST:
        page = _render(summary, fit(exhibits, allowance), history, messages)
        excess = len(page.encode()) - largest
        if excess <= 0:
            return page
        allowance -= max(excess, allowance // 8)
    return _render(summary, fit(exhibits, 0), history, messages)


def _render(summary: RunSummary, fitted: Fitted, history: Sequence[HistoryLine], messages: bool) -> str:
    page = page_of(summary, fitted, history, messages=messages)
    template = _environment().get_template("report.html.j2")
    return template.render(page=page, summary=summary, scale=Scale(summary.metric))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "capital": _capital,
        "severity": severity_svg,
        "unbroken": unbroken,
        "whole": whole,
    }
    return environment


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".")
