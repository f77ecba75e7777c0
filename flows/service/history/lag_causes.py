"""Why a camera lags or loses frames, in sentences."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from streetloop.control.history.charts import RemarkView
from streetloop.control.views import CameraView
from streetloop.ledger.history.camera_minutes import CameraMinute
from streetloop.settings import Settings

LOOK_BACK = timedelta(minutes=15)
_MUCH = 0.02  # share of the frames that were asked for
_SLOW_SOURCE = 0.8  # share of the wanted rate that arrives
_MINUTES = f"{LOOK_BACK / timedelta(minutes=1):.0f} minutes"


def explain_lag(
    view: CameraView, minutes: Sequence[CameraMinute], settings: Settings, learning: str | None
) -> list[RemarkView]:
    """What slows a camera, the gravest first; one sentence says that nothing does.

    Args:
        view: The camera now.
        minutes: How it fared lately.
        settings: What it may wait, and how much the detector has.
        learning: Step of the open learning run; None if there is none.
    """
    if view.state == "stopped":
        return [RemarkView(text="No stream runs, so nothing lags.")]
    total = CameraMinute()
    for minute in minutes:
        total += minute
    found = [*_connection(view), *_losses(view, total, settings, learning), *_faults(view)]
    is_well = not any(remark.is_bad for remark in found)
    return [*([_well(view)] if is_well else []), *found, *_by_design(view, total)]


def _well(view: CameraView) -> RemarkView:
    if not view.frames.detected:
        return RemarkView(text="No frame has been detected yet.")
    return RemarkView(text=f"It does not lag: 95 % of the results come within {view.lag_p95_s:.2f} s.")


def _connection(view: CameraView) -> Iterator[RemarkView]:
    if view.state in {"lost", "failed"}:
        why = f": {view.error}" if view.error else ""
        yield RemarkView(text=f"No frames arrive{why}.", is_bad=True)
    elif view.state == "connecting":
        yield RemarkView(text="It connects; no frame has arrived yet.", is_bad=True)
    elif view.fps is not None and 0 < view.fps_decoded < _SLOW_SOURCE * view.fps:
        yield RemarkView(
            text=f"The camera sends {view.fps_decoded:.1f} frames a second, and {view.fps:g} are asked for.",
            is_bad=True,
        )


def _losses(
    view: CameraView, total: CameraMinute, settings: Settings, learning: str | None
) -> Iterator[RemarkView]:
    late = sum(total.reasons.get(reason, 0) for reason in ("stale", "superseded"))
    failed = sum(total.reasons.get(reason, 0) for reason in ("detector", "worker"))
    asked = total.detected + late + failed
    if late > _MUCH * asked:
        yield RemarkView(text=_late(late, asked, settings), is_bad=True)
    elif view.lag_p95_s > settings.staleness_s:
        text = f"95 % of the results come within {view.lag_p95_s:.2f} s; the detector or its machine is busy."
        yield RemarkView(text=text, is_bad=True)
    if failed > _MUCH * asked:
        text = f"{failed} frames got no answer in the last {_MINUTES}: the detector failed or was restarted."
        yield RemarkView(text=text, is_bad=True)
    if learning == "training" and (late > _MUCH * asked or view.lag_p95_s > settings.staleness_s):
        yield RemarkView(text="A training runs on this machine and takes a part of its time.")


def _late(late: int, asked: int, settings: Settings) -> str:
    return (
        f"The detector is slower than what is asked of it: in the last {_MINUTES} {late} of {asked} frames "
        f"({late / asked:.0%}) waited longer than {settings.staleness_s:g} s and were dropped. A lower fps "
        f"of this or of other cameras helps, or a smaller image_size ({settings.image_size} now), or more "
        f"replicas (replicas_max is {settings.replicas_max})."
    )


def _faults(view: CameraView) -> Iterator[RemarkView]:
    yield from (RemarkView(text=fault, is_bad=True) for fault in view.faults)


def _by_design(view: CameraView, total: CameraMinute) -> Iterator[RemarkView]:
    """What is left out on purpose, and looks like a loss."""
    rate, still = total.reasons.get("rate", 0), total.reasons.get("still", 0)
    if rate and view.fps is not None:
        yield RemarkView(
            text=f"{view.fps:g} frames a second are asked for of {view.fps_decoded:.0f} that arrive; "
            "the others are left out on purpose."
        )
    if still and total.decoded:
        yield RemarkView(
            text=f"{still / total.decoded:.0%} of the frames were not looked at: nothing moved in them."
        )
