"""The drift of every camera that is or was watched."""

from collections.abc import Callable
from dataclasses import dataclass

from drift.comparison import FeatureResult
from drift.history import Past
from drift.monitor import recall
from drift.period_log import cameras_in
from drift.reference import PERIODS_NEEDED
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
    """The drift of one camera.

    Attributes:
        watch: Its history and reference, up to the last drift period.
        answers: Comparison with the reference, by feature; empty without a history.
        findings: Every drift that was found, the newest first.
    """

    watch: CameraWatch
    answers: dict[str, FeatureResult]
    findings: list[Finding]

    @property
    def open_finding(self) -> Finding | None:
        """The drift that lasts; None if there is none."""
        return next((f for f in self.findings if f.closed_at is None), None)

    @property
    def missing(self) -> int:
        """Drift periods that are missing before anything can be said."""
        if self.watch.reference is None or not self.watch.reference.missing:
            return 0
        # The reference leaves the newest window out, however little of it there is yet.
        return max(self.watch.reference.missing, PERIODS_NEEDED - len(self.watch.history))

    @property
    def is_old(self) -> bool:
        """True if it was not watched within the weeks that are remembered."""
        return self.watch.reference is None

    @property
    def word(self) -> str:
        """The state in a few words, for people."""
        if self.open_finding is not None:
            return "drift"
        if self.is_old:
            return "not watched for weeks"
        return f"not enough yet ({self.missing} more minutes)" if self.missing else "as it was"


def drift_state(
    settings: Settings,
    store: ObjectStore,
    ledger: Ledger,
    camera: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, DriftStatus]:
    """The drift of one camera or of all, from the log of drift periods and the ledger.

    Args:
        settings: The model, whose training data is the reference of young cameras.
        store: Holds the log.
        ledger: Holds the findings.
        camera: An id; None takes every camera that was ever watched.
        tell: Called with a sentence for each part of the log that cannot be read.

    Raises:
        ConfigError: The camera was never watched.
        LedgerError: The ledger cannot be read.
        StoreError: The log cannot be listed.
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


def _training(settings: Settings) -> Past | None:
    """Statistics of the training data; None if the model cannot be opened."""
    try:
        return training_past(open_model(settings.model, settings.models))
    except ModelError:
        return None
