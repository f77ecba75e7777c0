"""What a camera's last minutes are held against: its own past, at the same hour where it can be."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from drift.bootstrap import block_for, block_length, null_of
from drift.features import LEAST, NAMES, OF_IMAGES
from drift.history import History, Past
from drift.statistics import Wasserstein
from drift.statistics.distance import Floats
from drift.statistics.page_hinkley import centre_of
from drift.statistics.wasserstein import quantiles_of
from drift.tail import Tail, tail_of

WINDOW = 15
"""Minutes that are compared with the reference."""

HOUR_OF_WEEK, HOUR_OF_DAY = "same hour of the week", "same hour of the day"
OWN_PAST, TRAINING = "own past", "training set"

_OF_CAMERAS = {"sharpness", "noise"}  # follow from size and make of a camera, too
_LEAST_PAST = 4 * WINDOW  # minutes of its own past that tell more than the training set
_DAY_S, _WEEK_S, _NEAR_S = 86400.0, 7 * 86400.0, 1800.0
_WEEKS, _DAYS = 3, 5
_COVERED = 40  # minutes about the hour that a day must have to count
_LEAST_FREEDOM = 4.0
_AUTOCORRELATION_FACTOR, _LEAST_MEMORY = (3.0, 4.0)  # a short series shows less of its memory than it has
_PART, _LEAST_PARTS = 5, 12  # minutes, and how many of them the mix of a reference needs


@dataclass(frozen=True, slots=True)
class Column:
    """The reference of one feature.

    Attributes:
        ordered: (N,) values in rising order.
        spread: What an effect of 1 is.
        null: Effects of windows in which nothing changed, in rising order.
        tail: Of the null.
        small_sample_factor: How many times larger an effect must be because the reference is short.
    """

    ordered: Floats
    spread: float
    null: Floats
    tail: Tail
    small_sample_factor: float

    def threshold(self, rarity: float) -> float:
        """The effect that chance exceeds with so small a probability."""
        return self.tail.distance(rarity) * self.small_sample_factor

    def p_value(self, effect: float) -> float:
        """How often chance exceeds an effect; never 0 within what was drawn."""
        effect /= self.small_sample_factor
        above = len(self.null) - int(np.searchsorted(self.null, effect))
        if above:
            return (1 + above) / (1 + len(self.null))
        return min(self.tail.probability(effect), 1 / (1 + len(self.null)))


@dataclass(frozen=True, slots=True)
class Reference:
    """What a camera is compared with for the next while.

    Attributes:
        source: Where it comes from.
        periods: How many minutes of it there are.
        columns: By feature; None where too little is known.
        quantiles: (features, 64) of the columns, NaN where there is none.
        spreads: (features,) of the columns.
        mix: (classes,) tracks that appeared.
        overdispersion: How much more the mix varies between windows than independent tracks do.
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
        """Minutes that are wanting before anything can be said."""
        return 0 if any(self.columns.values()) else max(1, _LEAST_PAST - self.periods)


def choose(past: Past, now: float, period_s: float = 60.0) -> tuple[str, NDArray[np.bool_]]:
    """Which minutes of a camera's past are the reference for a window that ends now.

    Args:
        past: Minutes fit to compare with.
        now: Seconds since 1970.
        period_s: How long a minute is.

    Returns:
        Which rule chose, and (N,) the choice: about the same hour of the same weekday once there
        are three weeks of it, else of any day once there are five, else all.
    """
    middle = now - WINDOW * period_s / 2
    near = _NEAR_S + WINDOW * period_s / 2
    for source, cycle, wanted in ((HOUR_OF_WEEK, _WEEK_S, _WEEKS), (HOUR_OF_DAY, _DAY_S, _DAYS)):
        off = (past.times - middle + cycle / 2) % cycle - cycle / 2
        chosen = np.abs(off) <= near
        rounds = np.round((past.times[chosen] - middle) / cycle)
        _, periods = np.unique(rounds, return_counts=True)
        if int((periods >= _COVERED).sum()) >= wanted:
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
    """The reference of a camera for a window that ends now.

    Args:
        history: Of the camera.
        version: The model in charge; what models say is compared with the same model's answers.
        now: Seconds since 1970.
        training: Pictures that the model was trained on, where the camera has too little past.
        rarity: Probability of a false alarm that will be asked for.
        seed: Of the bootstrap.
        period_s: How long a minute is.
    """
    past = history.clean(now - WINDOW * period_s)
    source, chosen = choose(past, now, period_s)
    images = past.only(chosen)
    # Chosen for itself: a new model has no answers of three weeks ago.
    answered = past.only(history.of_version(past, version))
    answers = answered.only(choose(answered, now, period_s)[1])
    if len(images) < _LEAST_PAST and training is not None:
        source, images = TRAINING, training
    columns: dict[str, Column | None] = {}
    rng = np.random.default_rng(seed)
    for k, name in enumerate(NAMES):
        values = (images if name in OF_IMAGES else answers).values[:, k]
        if source == TRAINING and name in _OF_CAMERAS:
            values = values[:0]
        # How much training pictures depend on each other is plain: they come camera by camera.
        autocorrelation_factor = 1.0 if source == TRAINING and name in OF_IMAGES else _AUTOCORRELATION_FACTOR
        columns[name] = _column(values.astype(np.float64), LEAST[name], rarity, autocorrelation_factor, rng)
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
    values: Floats, least: float, rarity: float, autocorrelation_factor: float, rng: np.random.Generator
) -> Column | None:
    values = values[np.isfinite(values)]
    if len(values) < _LEAST_PAST:
        return None
    spread = max(centre_of(values)[1], least)
    memory = block_length(values)
    null = null_of(Wasserstein(), values, WINDOW, block_for(values, WINDOW), rng).distances / spread
    independent = len(values) / max(autocorrelation_factor * memory, _LEAST_MEMORY)
    return Column(np.sort(values), spread, null, tail_of(null), small_sample_factor(independent, rarity))


def small_sample_factor(independent: float, rarity: float) -> float:
    """How many times wider than it looks the null of a short reference is.

    So many independent values do not tell spread and middle well, and rare distances least of all;
    Student's distribution says by how much; no more than six times, or a young camera could not
    be watched at all.

    >>> round(small_sample_factor(1000, 1e-5), 2), round(small_sample_factor(20, 1e-5), 2)
    (1.01, 1.35)

    Reference: Student, "The probable error of a mean", 1908.
    """
    freedom = max(independent - 1, _LEAST_FREEDOM)
    wider = float(t.isf(rarity, freedom) / norm.isf(rarity))
    return wider * float(np.sqrt(1 + 1 / max(independent, 1.0)))


def overdispersion_of(mix: NDArray[np.int32], rarity: float) -> float:
    """How much larger chi-square of windows is than for tracks that come independently, at least 1.

    Cars come in platoons and buses by the timetable, so a window says less than its tracks are
    many.

    Args:
        mix: (minutes, classes) tracks that appeared.
        rarity: Probability of a false alarm that will be asked for.

    Returns:
        Infinity where there are too few windows to tell.
    """
    windows = len(mix) // _PART
    if windows < _LEAST_PARTS:
        return float("inf")
    counts = mix[: windows * _PART].reshape(windows, _PART, -1).sum(axis=1, dtype=np.int64)
    total = counts.sum(axis=0)
    kinds = int((total > 0).sum())
    if kinds < 2:
        return 1.0
    seen = counts[counts.sum(axis=1) > 0][:, total > 0].astype(np.float64)
    sizes, share = seen.sum(axis=1, keepdims=True), total[total > 0] / total.sum()
    others = np.maximum(total.sum() - sizes, 1.0)
    # Chi-square of each part against all others, as `compare_mixes` has it, at once.
    found = ((seen - sizes * share) ** 2 / share * (1 / sizes + 1 / others)).sum(axis=1)
    mean = float(found.mean()) / (kinds - 1)
    return max(1.0, mean) * small_sample_factor(windows, rarity) ** 2
