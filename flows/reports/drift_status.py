"""``streetloop drift``: the state of every camera that is or was watched."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from drift.comparison import FeatureResult
from drift.history import Past
from drift.monitor import recall
from drift.period_log import cameras_in
from drift.watch import CameraWatch
from streetloop.errors import ConfigError, ModelError
from streetloop.ledger import Ledger
from streetloop.ledger.findings import Finding, list_findings
from streetloop.settings import Settings
from streetloop.storage.store import ObjectStore
from train.model.drift_reference import training_past
from train.model.model_file import open_model


@dataclass(frozen=True, slots=True)
class DriftStatus:
    """What is known of one camera.

    Attributes:
        watch: Its watch, as it was at the last minute.
        answers: By feature.
        findings: The newest first.
    """

    watch: CameraWatch
    answers: dict[str, FeatureResult]
    findings: list[Finding]

    @property
    def open_finding(self) -> Finding | None:
        """The drift that goes on."""
        return next((f for f in self.findings if f.closed_at is None), None)

    @property
    def missing(self) -> int:
        """Minutes that are wanting before anything can be said."""
        return 0 if self.watch.reference is None else self.watch.reference.missing

    @property
    def is_old(self) -> bool:
        """True if it was not watched within the weeks that are remembered."""
        return self.watch.reference is None

    @property
    def word(self) -> str:
        """The state in a word."""
        if self.open_finding is not None:
            return "drift"
        if self.is_old:
            return "not watched for weeks"
        return f"not enough yet ({self.missing} more minutes)" if self.missing else "as it was"

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        reference = self.watch.reference
        return {
            "drift": self.open_finding is not None,
            "causes": self.open_finding.causes if self.open_finding else [],
            "since": _iso(self.open_finding.since if self.open_finding else None),
            "until": _iso(self.watch.at),
            "reference": {
                "source": reference.source if reference else None,
                "minutes": reference.periods if reference else 0,
            },
            "missing": self.missing,
            "features": {name: answer.as_json() for name, answer in self.answers.items()},
            "findings": [
                {
                    "since": _iso(f.since),
                    "opened_at": _iso(f.opened_at),
                    "closed_at": _iso(f.closed_at),
                    "causes": f.causes,
                    "model_version": f.model_version,
                    "asks_for_labels": f.asks_for_labels,
                }
                for f in self.findings
            ],
        }


def drift_state(
    settings: Settings,
    store: ObjectStore,
    ledger: Ledger,
    camera: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, DriftStatus]:
    """The state of one camera or of all, from the log and the ledger.

    Raises:
        ConfigError: The camera was never watched.
    """
    known = cameras_in(store)
    if camera is not None and camera not in known:
        names = ", ".join(known) or "none yet: `streetloop run` watches"
        raise ConfigError(f"camera {camera!r} was never watched; known are {names}")
    chosen = known if camera is None else [camera]
    fleet = recall(chosen, settings, store, ledger, _training(settings), tell)
    states = {}
    for name in chosen:
        watch = fleet.camera(name)
        findings = list_findings(ledger, name)
        if watch.at is None:
            states[name] = DriftStatus(watch, {}, findings)
            continue
        scan = watch.scan()
        alarms = watch.alarms(scan) if watch.finding is not None else []
        since = watch.finding.since if watch.finding is not None else None
        states[name] = DriftStatus(watch, watch.results(scan, alarms, since), findings)
    return states


def print_state(console: Console, states: dict[str, DriftStatus]) -> None:
    """Print the state for people: one line a camera, then what departs most."""
    if not states:
        console.print("no camera was watched yet: `streetloop run CAMERAS.YAML` watches")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("camera", "state", "compared with", "departs most"):
        table.add_column(name)
    for name, state in states.items():
        reference = state.watch.reference
        source = f"{reference.source}, {reference.periods} min" if reference else ""
        style = "bold red" if state.open_finding else ("dim" if state.missing else "green")
        table.add_row(name, f"[{style}]{state.word}[/]", source, _most(state.answers))
    console.print(table)
    for name, state in states.items():
        for finding in state.findings[:3]:
            until = f"to {finding.closed_at:%H:%M}" if finding.closed_at else "on"
            console.print(
                f"{name}: {finding.since:%Y-%m-%d %H:%M} {until}: likely "
                f"{', '.join(finding.causes)}" + ("" if finding.asks_for_labels else " (technician)"),
                soft_wrap=True,
            )


def _most(answers: dict[str, FeatureResult]) -> str:
    """The features that come nearest to an alarm, the nearest first."""
    known = {name: a for name, a in answers.items() if a.enough}
    nearest = sorted(known, key=lambda n: -known[n].effect_size / known[n].threshold)[:3]
    return ", ".join(
        f"{name} {known[name].effect_size:.1f} of {known[name].threshold:.1f}" for name in nearest
    )


def _training(settings: Settings) -> Past | None:
    """What the model was trained on; a model that cannot be opened is no hindrance here."""
    try:
        return training_past(open_model(settings.model, settings.models))
    except ModelError:
        return None


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
