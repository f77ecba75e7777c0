"""Compares two recordings of one camera: images, or periods of the log."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from drift.causes import diagnose
from drift.comparison import DetectionPolicy, FeatureResult, compare
from drift.evidence import Changes
from drift.measurement.covering import Covering, compare_cells
from drift.measurement.features import MIN_SPREADS, NAMES, OF_IMAGES
from drift.measurement.image_features import IMAGE_FEATURES, Cells, Edges, cells_of, edges_of, measure_image
from drift.measurement.period import DriftPeriod
from drift.measurement.view_change import UNCHANGED, ViewChange, compare_views
from drift.scan import MIX_EFFECT
from drift.statistics.chi_square import changed_share, compare_mixes
from drift.statistics.distance import Floats
from streetloop.causes import Cause, causes_to_json, evidence_to_json
from streetloop.types import Image

_DESIGN_EFFECT = 3.0  # of tracks: cars come in platoons of one class


@dataclass(frozen=True, slots=True)
class Background:
    """What a stretch shows without its traffic.

    Attributes:
        edges: (90, 160) mean of the images' `edges_of`; None if none was kept.
        cells: (2, 18, 32) median of the images' `cells_of`; None if none was kept.
    """

    edges: Edges | None = None
    cells: Cells | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """A stretch of one camera in the order of time: of images, or of periods.

    Attributes:
        values: (N,) by feature.
        background: What all of it shows.
        halves: What its first and its second half show.
        mix: Tracks that appeared, by class.
    """

    values: dict[str, Floats]
    background: Background = Background()
    halves: tuple[Background, Background] = (Background(), Background())
    mix: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))


def gather(pictures: Iterable[Image]) -> Series:
    """Measure images (height, width, 3), blue first, one by one; none of them is kept."""
    rows: dict[str, list[float]] = {name: [] for name in NAMES if name in OF_IMAGES}
    edges: list[Edges] = []
    cells: list[Cells] = []
    for picture in pictures:
        for name, value in measure_image(picture).items():
            rows[name].append(value)
        edges.append(edges_of(picture))
        cells.append(cells_of(picture))
    values = {name: np.array(row, np.float64) for name, row in rows.items()}
    return Series(values, background_of(edges, cells), _halves(edges, cells))


def gather_periods(periods: Iterable[DriftPeriod]) -> Series:
    """Put periods of a camera's log together."""
    periods = list(periods)
    values = {name: np.array([m.values[name] for m in periods], np.float64) for name in NAMES}
    edges = [period.edges for period in periods if period.edges is not None]
    cells = [period.cells for period in periods if period.cells is not None]
    mix: dict[str, int] = {}
    for period in periods:
        for name, count in period.mix.items():
            mix[name] = mix.get(name, 0) + count
    return Series(values, background_of(edges, cells), _halves(edges, cells), mix)


def background_of(edges: Sequence[Edges], cells: Sequence[Cells]) -> Background:
    """The background of some images, from the maps of each; moving objects fade."""
    return Background(
        np.asarray(np.mean(edges, axis=0), np.float32) if len(edges) else None,
        np.asarray(np.median(cells, axis=0), np.float32) if len(cells) else None,
    )


def _halves(edges: Sequence[Edges], cells: Sequence[Cells]) -> tuple[Background, Background]:
    i, j = len(edges) // 2, len(cells) // 2
    return background_of(edges[:i], cells[:j]), background_of(edges[i:], cells[j:])


@dataclass(frozen=True, slots=True)
class SeriesVerdict:
    """Whether a window is drift, and why.

    Attributes:
        results: By feature.
        causes: Likeliest first; empty without drift.
        view: How the view moved.
    """

    results: dict[str, FeatureResult]
    causes: list[Cause] = field(default_factory=list)
    view: ViewChange = UNCHANGED

    @property
    def enough(self) -> bool:
        """True if both sides have enough values to compare every feature of images."""
        # Logs of versions before 0.2.0 lack the features of the codec.
        images = [self.results[f.name] for f in IMAGE_FEATURES if f.name in self.results]
        return bool(images) and all(result.enough for result in images)

    @property
    def missing(self) -> int:
        """How many values are missing for a comparison; 0 if there are enough."""
        if self.enough:
            return 0
        return max((result.missing for result in self.results.values()), default=0)

    def as_json(self) -> dict[str, Any]:
        """Plain values; null where there were too few."""
        return {
            "drift": bool(self.causes),
            "causes": causes_to_json(self.causes),
            "evidence": evidence_to_json(self.causes),
            "features": {name: result.as_json() for name, result in self.results.items()},
            "enough": self.enough,
            "missing": self.missing,
        }


def compare_series(reference: Series, window: Series, policy: DetectionPolicy) -> SeriesVerdict:
    """Compare two stretches of one camera; name the likely causes of a difference.

    Args:
        reference: What counts as normal.
        window: What is compared with it.
        policy: When a difference is drift.

    Returns:
        Without causes if there are too few values, or no drift.
    """
    changes = changes_between(reference, window, policy)
    verdict = SeriesVerdict(dict(changes.results))
    if not (verdict.enough and changes.is_drift):
        return verdict
    return replace(verdict, causes=diagnose(changes), view=changes.view)


def changes_between(reference: Series, window: Series, policy: DetectionPolicy) -> Changes:
    """All that differs between two stretches of one camera.

    Args:
        reference: What counts as normal.
        window: What is compared with it.
        policy: When a difference is drift.
    """
    results = compare(reference.values, window.values, MIN_SPREADS, policy)
    view, covering = _compare_backgrounds(reference.background, window.background)
    usual_view, usual_covering = _compare_backgrounds(*reference.halves)
    view = replace(view, usual=usual_view.displacement)
    covering = replace(covering, usual=usual_covering.covered)
    return Changes(results, view, covering, _mix_change(reference.mix, window.mix, policy))


def _compare_backgrounds(before: Background, since: Background) -> tuple[ViewChange, Covering]:
    view = compare_views(before.edges, since.edges)
    return view, compare_cells(before.cells, since.cells, view.move if view.has_moved else None)


def _mix_change(reference: Mapping[str, int], window: Mapping[str, int], policy: DetectionPolicy) -> float:
    """Share of tracks that changed class; 0 unless it is large and significant."""
    names = sorted({*reference, *window})
    before = np.array([reference.get(name, 0) for name in names], np.int64)
    since = np.array([window.get(name, 0) for name in names], np.int64)
    if not (before.sum() and since.sum()):
        return 0.0
    effect = changed_share(before, since)
    found = compare_mixes(before, since, _DESIGN_EFFECT)
    return effect if effect >= MIX_EFFECT and found.p_value <= policy.rarity else 0.0
