"""How often drift is called where there is none, beside what others do on the same series.

    pip install -e '.[bench]'
    python -m benchmarks.drift [--cameras 10] [--processes 2]

Cameras without drift, one value a minute, two weeks of past and 30 days of watching:

- AR(1) of known dependence;
- days: each feature follows the hour as the simulated city does from midnight to midnight, no day
  like another (each has its own level, and a dependent noise on top).

Each method is asked every minute or every quarter of an hour; an alarm counts when it begins. With
its exact 95 % interval (Poisson). streetloop watches all its features, each with a series of its
own, as live; the others get one feature, which is eleven times less to be wrong about.

- streetloop: the watch of `streetloop run`, default policy;
- naive KS: scipy's two-sample test at 5 % on each quarter of an hour;
- 3 sigma: the mean of 15 minutes against three standard deviations of the past's minutes;
- KSWIN, ADWIN: river's, at their defaults, minute by minute;
- Evidently: its default for one numerical column, on a quarter of each hour.
"""

import math
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from river import drift as river_drift
from scipy.signal import lfilter
from scipy.stats import chi2, ks_2samp

from benchmarks.report import finish, new_parser, parse_options
from drift.change import ChangeKind, WatchPolicy
from drift.fleet import FleetWatch
from drift.measurement.features import MIN_SPREADS, NAMES
from drift.measurement.image_features import measure_image
from drift.measurement.period import DriftPeriod
from streetloop.city.address import parse_address
from streetloop.city.view import View

Series: TypeAlias = NDArray[np.float64]

_PAST, _MONTH, _WINDOW, _DAY = 14 * 1440, 30 * 1440, 15, 1440
_START = datetime(2026, 1, 5, tzinfo=UTC)
SCENARIOS = ("rho 0", "rho 0.5", "rho 0.9", "rho 0.98", "days")


def autoregressive(shape: tuple[int, ...], rho: float, rng: np.random.Generator) -> Series:
    noise = rng.standard_normal(shape) * math.sqrt(1 - rho * rho)
    noise[0] = rng.standard_normal(shape[1:])
    return np.asarray(lfilter([1.0], [1.0, -rho], noise, axis=0))


@lru_cache(maxsize=1)
def city_day() -> Series:
    """(1440, features) of one simulated day, by the minute; 0 for what pictures do not tell."""
    view = View(parse_address("sim://kingsport/crossing?condition=daily&traffic=light"))
    every = 15
    rows = [measure_image(view.render(m * 600)) for m in range(0, _DAY, every)]
    day = np.zeros((_DAY, len(NAMES)))
    for k, name in enumerate(NAMES):
        if name in rows[0]:
            at = np.arange(0, _DAY + every, every)
            values = [row[name] for row in rows] + [rows[0][name]]
            day[:, k] = np.interp(np.arange(_DAY), at, values)
    return day


def camera(scenario: str, number: int) -> Series:
    """(minutes, features) of a camera in which nothing ever changes."""
    rng = np.random.default_rng((number, SCENARIOS.index(scenario)))
    shape = (_PAST + _MONTH, len(NAMES))
    if scenario != "days":
        # Ten up: a picture of brightness 0 would be black, which is another fault.
        return autoregressive(shape, float(scenario.split()[1]), rng) + 10
    least = np.array([MIN_SPREADS[name] for name in NAMES])
    days = -(-shape[0] // _DAY)
    levels = np.repeat(autoregressive((days, shape[1]), 0.5, rng), _DAY, axis=0)[: shape[0]]
    noise = autoregressive(shape, 0.95, rng)
    cycle = np.tile(city_day(), (days, 1))[: shape[0]]
    return np.asarray(cycle + least * (levels + noise))


def streetloop(series: Series) -> int:
    fleet = FleetWatch(WatchPolicy())
    watch = fleet.camera("camera")
    alarms = 0
    for k, row in enumerate(series.tolist()):
        minute = DriftPeriod(
            "camera",
            _START + timedelta(minutes=k),
            60.0,
            "model",
            30,
            30,
            dict(zip(NAMES, row, strict=True)),
            {},
            640,
            360,
            10.0,
            False,
        )
        if k < _PAST:
            watch.remember(minute)
        else:
            alarms += sum(change.kind is ChangeKind.DRIFT for change in fleet.take([minute]))
    return alarms


def naive(series: Series) -> int:
    before, windows = series[:_PAST, 0], series[_PAST:, 0].reshape(-1, _WINDOW)
    return sum(ks_2samp(before, window).pvalue < 0.05 for window in windows)


def three_sigma(series: Series) -> int:
    before, live = series[:_PAST, 0], series[_PAST:, 0]
    means = np.convolve(live, np.full(_WINDOW, 1 / _WINDOW), "valid")
    alarms = np.abs(means - before.mean()) > 3 * before.std()
    return int(alarms[0]) + int((alarms[1:] & ~alarms[:-1]).sum())


def kswin(series: Series) -> int:
    before, live = series[:_PAST, 0], series[_PAST:, 0]
    return _river(river_drift.KSWIN(seed=1, window=before[-100:].tolist()), live)


def adwin(series: Series) -> int:
    detector = river_drift.ADWIN()
    for value in series[:_PAST, 0].tolist():
        detector.update(value)
    return _river(detector, series[_PAST:, 0])


def _river(detector: river_drift.ADWIN | river_drift.KSWIN, live: Series) -> int:
    alarms = 0
    for value in live.tolist():
        detector.update(value)
        alarms += detector.drift_detected
    return alarms


def evidently(series: Series) -> int:
    import pandas as pd
    from evidently import Dataset, Report
    from evidently.metrics import ValueDrift

    before = Dataset.from_pandas(pd.DataFrame({"x": series[:_PAST, 0]}))
    alarms = 0
    for window in series[_PAST:, 0].reshape(-1, _WINDOW)[::4]:  # it is slow: once an hour
        found = Report([ValueDrift(column="x")]).run(Dataset.from_pandas(pd.DataFrame({"x": window})), before)
        metric = found.dict()["metrics"][0]
        distance = metric["config"]["method"] != "K-S p_value"
        value, threshold = float(metric["value"]), float(metric["config"]["threshold"])
        alarms += value > threshold if distance else value < threshold
    return alarms


_METHODS: dict[str, tuple[Callable[[Series], int], int]] = {
    "streetloop": (streetloop, 1),
    "naive KS, 5 %": (naive, 5),  # slow ones see every fifth camera
    "3 sigma": (three_sigma, 1),
    "KSWIN": (kswin, 5),
    "ADWIN": (adwin, 1),
    "Evidently": (evidently, 5),
}


def judge(work: tuple[str, str, int]) -> int:
    """Alarms of one method on one camera."""
    method, scenario, number = work
    return _METHODS[method][0](camera(scenario, number))


def interval(count: int, months: int) -> tuple[float, float]:
    """Exact interval of a Poisson rate (Garwood 1936)."""
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return low / months, chi2.ppf(0.975, 2 * count + 2) / 2 / months


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--cameras", type=int, default=5)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", choices=tuple(_METHODS))
    parser.add_argument("--scenario", choices=SCENARIOS, action="append")
    choice = parse_options(parser)
    scenarios = choice.scenario or SCENARIOS
    methods = [choice.only] if choice.only else list(_METHODS)
    work = [
        (method, scenario, number)
        for method in methods
        for scenario in scenarios
        for number in range(0, choice.cameras, _METHODS[method][1])
    ]
    with ProcessPoolExecutor(choice.processes) as pool:
        alarms = list(track(pool.map(judge, work), "cameras", len(work)))
    table = Table(title=f"false alarms per camera in 30 days, {choice.cameras} cameras")
    for name in ("method", *scenarios):
        table.add_column(name, justify="left" if name == "method" else "right")
    figures: dict[str, dict[str, Any]] = {}
    for method in methods:
        cells = []
        for scenario in scenarios:
            mine = [a for a, w in zip(alarms, work, strict=True) if w[:2] == (method, scenario)]
            low, high = interval(sum(mine), len(mine))
            figures.setdefault(method, {})[scenario] = {
                "alarms": sum(mine),
                "cameras": len(mine),
                "low": round(low, 3),
                "high": round(high, 3),
            }
            cells.append(f"{sum(mine) / len(mine):.2f} ({low:.2f}-{high:.2f})")
        table.add_row(method, *cells)
    Console(width=130).print(table)
    finish(choice, figures)


if __name__ == "__main__":
    main()
