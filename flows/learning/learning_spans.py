"""Spans of a learning run: one for each step, and one for all; they are one trace."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from streetloop.host.tracing import record_span
from streetloop.ledger.learning import ENDED, LearningRun, Step

_FROM_DETAIL = ("version", "rollout")


def record_step(run: LearningRun, to: Step, now: datetime, detail: Mapping[str, Any]) -> None:
    """Record the step that is over, also one that another process began.

    Args:
        run: The run as it was.
        to: The step that it takes; a final one ends the run.
        now: When (UTC).
        detail: What is known of the run now.
    """
    about = {name: detail[name] for name in _FROM_DETAIL if isinstance(detail.get(name), (int, str))}
    about |= {"learning": run.id, "learning_name": run.name, "next": to.value}
    failed = to is Step.PARKED
    record_span(f"learning.{run.step.value}", run.step_at, now, run.name, failed=failed, **about)
    if to in ENDED:
        record_span("learning", run.started_at, now, run.name, **about)
