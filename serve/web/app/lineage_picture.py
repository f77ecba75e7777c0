"""Which version came of which, as a graph beside their list: the newest first, a lane a branch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streetloop.control.views import ModelView

ROW, LANE = 72, 20
"""Of the drawing, in its own units: height of a row, width of a lane."""
_MAX_ROWS = 30
_MAX_LANES = 6


@dataclass(frozen=True, slots=True)
class LineageRow:
    """One version.

    Attributes:
        model: The version.
        x: Centre of its mark.
        y: The same.
        kind: ``champion``, ``accepted``, ``refused`` or ``plain``.
        outcome: State of its newest rollout; None without one.
        score: mAP50 of all frames; None where it was not measured.
        gain: The same less that of the champion of its day, on the same frames.
    """

    model: ModelView
    x: int
    y: int
    kind: str
    outcome: str | None
    score: float | None
    gain: float | None


@dataclass(frozen=True, slots=True)
class LineagePicture:
    """The graph.

    Attributes:
        rows: The newest version first.
        edges: Paths from versions to their parents, each with whether the champion came by it.
        lanes: Number of lanes.
        older: Versions that are not shown.
    """

    rows: Sequence[LineageRow]
    edges: Sequence[tuple[str, bool]]
    lanes: int
    older: int

    @property
    def in_words(self) -> str:
        """The same as a sentence."""
        born = [f"{r.model.number} from {r.model.parent}" for r in self.rows if r.model.parent is not None]
        return f"Versions: {', '.join(born)}." if born else "No version came of another one."


def draw_lineage(models: Sequence[ModelView], outcomes: Mapping[str, str]) -> LineagePicture:
    """Lay the graph out; the ancestors of the champion are the first lane.

    Args:
        models: All versions, the newest first.
        outcomes: State of the newest rollout by version.
    """
    shown = models[:_MAX_ROWS]
    trunk = _ancestry(models)
    lane_of = _lanes(shown, trunk)
    row_of = {model.number: row for row, model in enumerate(shown)}
    rows = [
        _row(model, lane_of[model.number], row, outcomes.get(str(model.number)))
        for row, model in enumerate(shown)
    ]
    edges = []
    for model in shown:
        if model.parent is not None:
            lane, parent = lane_of[model.number], row_of.get(model.parent)
            end = (lane, None) if parent is None else (lane_of[model.parent], parent)
            edges.append((_path(lane, row_of[model.number], *end), model.number in trunk))
    lanes = max(lane_of.values(), default=0) + 1
    return LineagePicture(rows, edges, lanes, len(models) - len(shown))


def _ancestry(models: Sequence[ModelView]) -> set[int]:
    """The champion and its ancestors; without a champion those of the newest version."""
    known = {model.number: model for model in models}
    start = next((m for m in models if "champion" in m.aliases), models[0] if models else None)
    found: set[int] = set()
    while start is not None and start.number not in found:
        found.add(start.number)
        start = known.get(start.parent) if start.parent is not None else None
    return found


def _lanes(shown: Sequence[ModelView], trunk: set[int]) -> dict[int, int]:
    """A lane for each version: that of its newest child where it has one, else one that is free."""
    row_of = {model.number: row for row, model in enumerate(shown)}
    lane_of: dict[int, int] = {}
    taken_until: dict[int, int] = {}
    for row, model in enumerate(shown):
        inherited = [lane_of[m.number] for m in shown[:row] if m.parent == model.number and lane_of[m.number]]
        if model.number in trunk:
            lane = 0
        elif inherited:
            lane = min(inherited)
        else:
            lane = next((n for n in range(1, _MAX_LANES) if taken_until.get(n, -1) <= row), _MAX_LANES)
        lane_of[model.number] = lane
        parent = row_of.get(model.parent, len(shown)) if model.parent is not None else row
        taken_until[lane] = max(taken_until.get(lane, -1), parent)
    return lane_of


def _centre(lane: int, row: int) -> tuple[int, int]:
    return LANE * lane + LANE // 2, ROW * row + ROW // 2


def _path(lane: int, row: int, parent_lane: int, parent_row: int | None) -> str:
    """Down in the lane of the child, then over to the parent."""
    x, y = _centre(lane, row)
    if parent_row is None:  # further down than is shown
        return f"M{x} {y}v{ROW // 2}"
    x2, y2 = _centre(parent_lane, parent_row)
    if x == x2:
        return f"M{x} {y}V{y2}"
    turn, half = y2 - ROW, ROW // 2
    return f"M{x} {y}V{turn}C{x} {turn + half} {x2} {turn + half} {x2} {y2}"


def _row(model: ModelView, lane: int, row: int, outcome: str | None) -> LineageRow:
    x, y = _centre(lane, row)
    score, champion = model.scores.get("map50/all"), model.champion_scores.get("map50/all")
    gain = None if score is None or champion is None else score - champion
    return LineageRow(model, x, y, _kind(model), outcome, score, gain)


def _kind(model: ModelView) -> str:
    if "champion" in model.aliases:
        return "champion"
    return "plain" if model.accepted is None else ("accepted" if model.accepted else "refused")
