"""A rollout as a picture: its gain with its interval over time, and what it waits for in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from streetloop.control.versions.rollout_course import GainPointView
from streetloop.control.views import RolloutView

_MIN_REACH = 0.05  # of the axis of gains, in F1
_MAX_POINTS = 240
_MAX_DOTS = 60  # more would be a thick line
_MAX_CAMERAS = 40
_WAITS = (
    ("a certain gain", "Proof that it detects better: the whole interval of its gain must lie above 0."),
    ("a loss of", "Proof that it does no harm: a loss beyond the margin must be ruled out."),
    ("a computing time", "Proof that it is fast enough beside the champion."),
    ("a rate of broken tracks", "Tracks that hold as well as the champion's on the same cameras."),
    ("more calls to rule out", "More answers, so that failures are known to be rare."),
    ("the replay of", "The recorded traffic that is replayed to it first."),
    ("frames with ground truth", "Frames with known answers, since without labels no gain can be measured."),
    ("`streetloop rollout resume`", "Somebody paused it: the button Resume lets it go on."),
    ("the challenger is being loaded", "The new version is being loaded; it answers within a minute or two."),
)
"""How a condition begins, and what it means."""


@dataclass(frozen=True, slots=True)
class GainChart:
    """The gain over time; places are in per cent of the drawing.

    Attributes:
        band: Points of the polygon between the ends of the interval; an end that is unbounded is
            at the edge.
        line: Points of the estimate.
        dots: The estimates, each with its place and a sentence; of many only the newest.
        zero: Height of a gain of 0.
        ticks: Heights and values of the axis.
        marks: Places at which a stage began, with its title.
        times: First and last moment.
    """

    band: str
    line: str
    dots: Sequence[tuple[float, float, str]]
    zero: float
    ticks: Sequence[tuple[float, str]]
    marks: Sequence[tuple[float, str]]
    times: tuple[datetime, datetime]


def draw_gain(rollout: RolloutView) -> GainChart | None:
    """Lay the chart out; None before two moments are known.

    Args:
        rollout: With its stages and gains.
    """
    points = _thinned(rollout.gains)
    if len(points) < 2:
        return None
    first, last = points[0].at, points[-1].at
    span = max((last - first).total_seconds(), 1.0)
    reach = _reach(points)
    dotted = points if len(points) <= _MAX_DOTS else points[-1:]

    def x(at: datetime) -> float:
        return round(100 * (at - first).total_seconds() / span, 2)

    def y(value: float | None, edge: float) -> float:
        return edge if value is None else round(min(100.0, max(0.0, 50 - 50 * value / reach)), 2)

    upper = [f"{x(p.at)},{y(p.high, 0.0)}" for p in points]
    lower = [f"{x(p.at)},{y(p.low, 100.0)}" for p in reversed(points)]
    return GainChart(
        band=" ".join(upper + lower),
        line=" ".join(f"{x(p.at)},{y(p.mean, 50.0)}" for p in points),
        dots=[(x(p.at), y(p.mean, 50.0), in_words(p)) for p in dotted],
        zero=50.0,
        ticks=[(y(value, 50.0), f"{value:+.2f}" if value else "0") for value in (reach, 0.0, -reach)],
        marks=[(x(at), title) for at, title in _begun(rollout, first, last)],
        times=(first, last),
    )


def _begun(rollout: RolloutView, first: datetime, last: datetime) -> list[tuple[datetime, str]]:
    """The stage of the first moment, and those that began later."""
    begun = [(stage.since, stage.title) for stage in rollout.stages if stage.since and stage.since < last]
    before = [(first, title) for since, title in begun if since <= first]
    return [*before[-1:], *((since, title) for since, title in begun if since > first)]


def in_words(point: GainPointView) -> str:
    """A gain with its interval.

    Args:
        point: The gain.
    """
    ends = ("?" if end is None else f"{end:+.3f}" for end in (point.low, point.high))
    return f"{point.mean:+.3f} [{', '.join(ends)}], {point.blocks} blocks"


def waits_in_words(waits_for: Sequence[str]) -> list[tuple[str, str]]:
    """What a rollout waits for: what that means, and the condition with its numbers.

    >>> waits_in_words(["400 more frames in this phase"])
    [('', '400 more frames in this phase')]

    Args:
        waits_for: The conditions that do not hold yet.
    """
    return [(next((means for begin, means in _WAITS if one.startswith(begin)), ""), one) for one in waits_for]


def sides_of(cameras: Mapping[str, str]) -> dict[str, tuple[list[str], int]]:
    """The cameras that the new version serves, and the others: the first of them, and how many.

    Args:
        cameras: Application that serves each camera.
    """
    sides: dict[str, list[str]] = {"challenger": [], "champion": []}
    for camera, slot in sorted(cameras.items()):
        sides["challenger" if slot == "challenger" else "champion"].append(camera)
    return {side: (names[:_MAX_CAMERAS], len(names)) for side, names in sides.items()}


def _thinned(points: Sequence[GainPointView]) -> list[GainPointView]:
    """At most so many points, of which the last is the newest."""
    step = -(-len(points) // _MAX_POINTS) or 1
    return list(points[::-1][::step])[::-1]


def _reach(points: Sequence[GainPointView]) -> float:
    """Half of the axis: all estimates fit, and ends of the newer half, which are closer."""
    ends = [end for p in points[len(points) // 2 :] for end in (p.low, p.high) if end is not None]
    return max([_MIN_REACH, *(abs(p.mean) for p in points), *map(abs, ends)]) * 1.15
