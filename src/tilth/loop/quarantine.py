"""Quarantine: the one place where any exception is caught, so that a failing operator is one failed step, not a lost run."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from tilth.core.errors import MachineError, NotApplicable
from tilth.core.summary import FailedStep

__all__ = ["Quarantine"]

Result = TypeVar("Result")
_LOG = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Quarantine:
    """Runs steps; keeps their refusals (with reasons) and their failures (with tracebacks) for the report."""

    refusals: dict[str, str] = field(default_factory=dict)
    failures: list[FailedStep] = field(default_factory=list)

    def run(self, step: str, function: Callable[[], Result]) -> Result | None:
        """Return the step's result, or None if it refused or failed; errors of the machine are not set aside."""
        try:
            return function()
        except NotApplicable as refusal:
            self.refusals[step] = refusal.what
        except MachineError:
            raise
        except Exception as error:  # noqa: BLE001 - the quarantine is where everything is caught
            _LOG.warning("step %s failed", step, exc_info=True)
            text = f"{type(error).__name__}: {error}"
            self.failures.append(FailedStep(step=step, error=text, traceback=traceback.format_exc()))
        return None
