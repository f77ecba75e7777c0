"""Readings of a running session, and the metrics that Prometheus is told of them."""

from datetime import UTC, datetime, timedelta

from drift.watch import NearestFeature
from flows.runtime.metrics.exposition import expose
from flows.runtime.metrics.ledger_reading import LedgerReading, OutboxReading, RolloutReading
from flows.runtime.metrics.readings import Readings
from flows.runtime.metrics.spool_reading import SpoolReading
from flows.stream.analysis.line_totals import LineTotals
from flows.stream.analysis.status import CameraStatus
from flows.stream.ingest.accounting import Account
from flows.stream.ingest.camera_state import CameraState
from flows.stream.sinks.stream_meter import (
    BATCH_BOUNDS,
    BATCH_BOUNDS_S,
    CONFIDENCE_BOUNDS,
    LAG_BOUNDS_S,
    Histogram,
    HistogramCounts,
    MeterReading,
    ModelReading,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
INFO = {"version": "0.2.0", "run": "20260301T120000Z-1f2e3d"}


def status(name: str, state: CameraState = CameraState.LIVE, **account: int) -> CameraStatus:
    """A camera that has met every fate."""
    counts = {"decoded": 100, "detected": 60, "gated": 30, "dropped": 6, "failed": 4, **account}
    reasons = {"still": 20, "rate": 10, "stale": 5, "superseded": 1, "detector": 3, "worker": 1}
    return CameraStatus(
        name,
        state,
        account=Account(**counts, reasons=reasons),
        reconnects=2,
        lag_p95_s=0.3,
        lag_p50_s=0.1,
        objects_by_class={"car": 7},
        lines={"gate": LineTotals({"car": {"in": 2, "out": 1}})},
    )


def meter(worker: str = "worker0", model: str = "yolo-1") -> MeterReading:
    """A worker that has answered some batches."""
    read = ModelReading(
        histogram(BATCH_BOUNDS_S, 0.02, 0.3),
        histogram(BATCH_BOUNDS, 4.0, 8.0),
        histogram(CONFIDENCE_BOUNDS, 0.3, 0.95),
    )
    lag, sinks = histogram(LAG_BOUNDS_S, 0.07, 0.3, 9.0), {("bus", "sent"): 20, ("bus", "dropped"): 3}
    return MeterReading(worker, lag, {model: read}, {"flows.runtime": 2}, sinks)


def histogram(bounds: tuple[float, ...], *values: float) -> HistogramCounts:
    """A histogram of some values."""
    found = Histogram(bounds)
    found.add(values)
    return found.read()


def readings(cameras: int = 2) -> Readings:
    """Everything that there can be."""
    names = [f"camera-{number}" for number in range(cameras)]
    rollout = RolloutReading("canary", "running", 0.25, NOW - timedelta(hours=1), 12)
    ledger = LedgerReading(
        {"drift": 1, "frozen picture": 2},
        {"candidate": 9, "pending": 3, "labeled": 5},
        {"pending": NOW - timedelta(hours=2), "pushed": None},
        "training",
        {"promoted": 2, "refused": 1},
        rollout,
        {"promoted": 2, "rolled back": 1},
        {"bus": OutboxReading(7, NOW - timedelta(minutes=4)), "mail": OutboxReading(0, None)},
    )
    return Readings(
        {name: status(name) for name in names},
        [meter(), meter("worker1")],
        {name: NearestFeature("brightness", 2.5, 2.0) for name in names},
        {"worker": 1, "detector": 0},
        {"flows.runtime": 1},
        ledger,
        {"ledger": True, "store": False},
        (10, 100),
        SpoolReading(3, 4_000_000, NOW - timedelta(minutes=30)),
        {"worker0": 0.4, "worker1": 40.0},
        {"champion": 2, "challenger": 1},
    )


def text(cameras: int = 2) -> str:
    """The metrics of `readings`."""
    return expose(readings(cameras), INFO, NOW)
