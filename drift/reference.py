"""The reference of a camera: its own past, at the same hour where there is enough of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drift.history import History, Past
from drift.measurement.features import MIN_SPREADS, NAMES, OF_IMAGES
from drift.statistics import Wasserstein
from drift.statistics.block_bootstrap import block_for, block_length, null_of
from drift.statistics.distance import Floats, median_and_spread
from drift.statistics.pareto_tail import Tail, tail_of
from drift.statistics.small_sample import AUTOCORRELATION_FACTOR, MIN_DEPENDENCE, small_sample_factor
from drift.statistics.wasserstein import quantiles_of

WINDOW = 15
"""Periods that are compared with the reference."""

HOUR_OF_WEEK, HOUR_OF_DAY = "same hour of the week", "same hour of the day"
OWN_PAST, TRAINING = "own past", "training set"

_OF_CAMERAS = {"sharpness", "noise"}  # depend on size and make of a camera, too
_MIN_PAST = 4 * WINDOW  # periods of its own past that tell more than the training set
PERIODS_NEEDED = _MIN_PAST + WINDOW
"""Periods after which a camera is compared with its own past for certain."""
_DAY_S, _WEEK_S, _NEAR_S = 86400.0, 7 * 86400.0, 1800.0
_MIN_WEEKS, _MIN_DAYS = 3, 5
_MIN_PERIODS_A_ROUND = 40  # periods about the hour that a day must have to count
_MIX_WINDOW, _MIN_MIX_WINDOWS = 5, 12  # periods, and how many windows of them a mix needs


@dataclass(frozen=True, slots=True)
class Column:
    """The reference of one feature.

    Attributes:
        ordered: (N,) values in rising order.
        spread: Robust standard deviation, in the feature's unit: the size of an effect of 1.
        null: (draws,) effects of windows in which nothing changed, in rising order.
        tail: The Pareto tail of the null.
        small_sample_factor: How many times larger an effect must be because the reference is short.
    """

    ordered: Floats
    spread: float
    null: Floats
    tail: Tail
    small_sample_factor: float

    def threshold(self, rarity: float) -> float:
        """The effect that a window without change exceeds with probability ``rarity``.

        Args:
            rarity: Probability, 0 to 1; lower raises the threshold.
        """
        return self.tail.distance(rarity) * self.small_sample_factor

    def p_value(self, effect: float) -> float:
        """How often a window without change exceeds an effect; never 0 within the drawn range.

        Args:
            effect: Distance in spreads of the reference.
        """
        effect /= self.small_sample_factor
        above = len(self.null) - int(np.searchsorted(self.null, effect))
        if above:
            return (1 + above) / (1 + len(self.null))
        return min(self.tail.probability(effect), 1 / (1 + len(self.null)))


@dataclass(frozen=True, slots=True)
class Reference:
    """What a camera is compared with until the next refresh.

    Attributes:
        source: Which rule chose it: `HOUR_OF_WEEK`, `HOUR_OF_DAY`, `OWN_PAST` or `TRAINING`.
        periods: How many periods it has.
        columns: By feature; None where there are too few values.
        quantiles: (features, 64) of the columns, NaN where there is none.
        spreads: (features,) of the columns, 1 where there is none.
        mix: (classes,) tracks that appeared.
        overdispersion: How much more the mix varies between windows than independent tracks do;
            at least 1, infinite where there are too few windows to tell.
    """

    source: str
    periods: int
    columns: dict[str, Column | None]
    quantiles: Floats
    spreads: Floats
    mix: NDArray[np.int64]
    overdispersion: float

    @property
    def missing(self) -> int:
        """Periods that are missing before any feature can be compared."""
        return 0 if any(self.columns.values()) else max(1, _MIN_PAST - self.periods)


def choose(past: Past, now: float, period_s: float = 60.0) -> tuple[str, NDArray[np.bool_]]:
    """Choose the periods of a camera's past that a window that ends now is compared with.

    Args:
        past: Clean periods.
        now: Seconds since 1970.
        period_s: Length of a period in seconds.

    Returns:
        The rule that chose, and the (N,) mask of the choice: about the same hour of the same
        weekday once there are three weeks of it, else of any day once there are five, else all.
    """
    middle = now - WINDOW * period_s / 2
    near = _NEAR_S + WINDOW * period_s / 2
    for source, cycle, wanted in ((HOUR_OF_WEEK, _WEEK_S, _MIN_WEEKS), (HOUR_OF_DAY, _DAY_S, _MIN_DAYS)):
        off = (past.times - middle + cycle / 2) % cycle - cycle / 2
        chosen = np.abs(off) <= near
        rounds = np.round((past.times[chosen] - middle) / cycle)
        _, periods = np.unique(rounds, return_counts=True)
        if int((periods >= _MIN_PERIODS_A_ROUND).sum()) >= wanted:
            return source, chosen
    return OWN_PAST, np.ones(len(past), bool)


def build(
    history: History,
    version: str,
    now: float,
    training: Past | None,
    rarity: float,
    seed: int,
    period_s: float = 60.0,
) -> Reference:
    """Build the reference of a camera for a window that ends now.

    Args:
        history: The camera's periods.
        version: The model in charge; features of detections are compared with those of the same
            model only.
        now: Seconds since 1970.
        training: Images that the model was trained on, for a camera with too little past.
        rarity: Probability of a false alarm in one test; lower makes the small-sample factor
            larger.
        seed: Of the bootstrap; the same seed gives the same reference.
        period_s: Length of a period in seconds.
    """
    past = history.clean(now - WINDOW * period_s)
    source, chosen = choose(past, now, period_s)
    images = past.only(chosen)
    # Chosen on its own: a new model has no answers of three weeks ago.
    answered = past.only(history.of_version(past, version))
    answers = answered.only(choose(answered, now, period_s)[1])
    if len(images) < _MIN_PAST and training is not None:
        source, images = TRAINING, training
    columns: dict[str, Column | None] = {}
    rng = np.random.default_rng(seed)
    for k, name in enumerate(NAMES):
        values = (images if name in OF_IMAGES else answers).values[:, k]
        if source == TRAINING and name in _OF_CAMERAS:
            values = values[:0]
        # Training images come camera by camera: their autocorrelation shows in full.
        autocorrelation_factor = 1.0 if source == TRAINING and name in OF_IMAGES else AUTOCORRELATION_FACTOR
        columns[name] = _column(
            values.astype(np.float64), MIN_SPREADS[name], rarity, autocorrelation_factor, rng
        )
    quantiles = np.full((len(NAMES), 64), np.nan)
    for k, column in enumerate(columns.values()):
        if column is not None:
            quantiles[k] = quantiles_of(column.ordered[None])[0]
    spreads = np.array([1.0 if c is None else c.spread for c in columns.values()])
    return Reference(
        source,
        len(images),
        columns,
        quantiles,
        spreads,
        answers.mix.sum(axis=0, dtype=np.int64),
        overdispersion_of(answers.mix, rarity),
    )


def _column(
    values: Floats, min_spread: float, rarity: float, autocorrelation_factor: float, rng: np.random.Generator
) -> Column | None:
    values = values[np.isfinite(values)]
    if len(values) < _MIN_PAST:
        return None
    spread = max(median_and_spread(values)[1], min_spread)
    dependence = block_length(values)
    null = null_of(Wasserstein(), values, WINDOW, block_for(values, WINDOW), rng).distances / spread
    independent = len(values) / max(autocorrelation_factor * dependence, MIN_DEPENDENCE)
    return Column(np.sort(values), spread, null, tail_of(null), small_sample_factor(independent, rarity))


def overdispersion_of(mix: NDArray[np.int32], rarity: float) -> float:
    """Rao and Scott's design effect of a mix: chi-square relative to that of independent tracks.

    Cars come in platoons and buses by the timetable, so the tracks of a window are not independent.

    Args:
        mix: (periods, classes) tracks that appeared.
        rarity: Probability of a false alarm in one test; lower gives a larger factor.

    Returns:
        At least 1; infinity where there are too few windows to tell.
    """
    windows = len(mix) // _MIX_WINDOW
    if windows < _MIN_MIX_WINDOWS:
        return float("inf")
    counts = mix[: windows * _MIX_WINDOW].reshape(windows, _MIX_WINDOW, -1).sum(axis=1, dtype=np.int64)
    total = counts.sum(axis=0)
    classes = int((total > 0).sum())
    if classes < 2:
        return 1.0
    seen = counts[counts.sum(axis=1) > 0][:, total > 0].astype(np.float64)
    sizes, share = seen.sum(axis=1, keepdims=True), total[total > 0] / total.sum()
    others = np.maximum(total.sum() - sizes, 1.0)
    # Chi-square of each window against all others, as `compare_mixes` has it, at once.
    found = ((seen - sizes * share) ** 2 / share * (1 / sizes + 1 / others)).sum(axis=1)
    mean = float(found.mean()) / (classes - 1)
    return max(1.0, mean) * small_sample_factor(windows, rarity) ** 2
