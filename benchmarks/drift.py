"""How often drift is called where there is none, beside what others do on the same series.

    python -m benchmarks.drift [--cameras 20]

A camera without drift: AR(1) of known dependence, one value a minute, a week of reference and 30
days of watching. Each method is asked every minute; an alarm counts when it begins. With its exact
95 % interval (Poisson).

- streetloop: windows of 15 minutes, the default policy;
- naive KS: scipy's two-sample test at 5 % on each quarter of an hour;
- 3 sigma: the mean of 15 minutes against three standard deviations of the reference's minutes;
- KSWIN, ADWIN: river's, at their defaults, minute by minute.
"""

import argparse
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from river import drift as river_drift
from scipy.signal import lfilter
from scipy.stats import chi2, ks_2samp

from drift.comparison import Policy, compare
from drift.statistics import Wasserstein

Series: TypeAlias = NDArray[np.float64]

_WEEK, _MONTH, _WINDOW = 7 * 1440, 30 * 1440, 15


def autoregressive(count: int, rho: float, chance: np.random.Generator) -> Series:
    noise = chance.standard_normal(count) * np.sqrt(1 - rho * rho)
    noise[0] = chance.standard_normal()
    return np.asarray(lfilter([1.0], [1.0, -rho], noise))


def streetloop(before: Series, live: Series) -> int:
    windows = np.lib.stride_tricks.sliding_window_view(live, _WINDOW)
    answer = compare({"x": before}, {"x": windows[0]}, {}, Policy.live())["x"]
    low, high = np.quantile(before, [0.25, 0.75])
    effects = Wasserstein().between(np.sort(before), windows) / ((high - low) / 1.349)
    # The third condition, significance, can only take alarms away.
    return _begun(effects >= answer.threshold)


def naive(before: Series, live: Series) -> int:
    windows = live.reshape(-1, _WINDOW)
    return sum(ks_2samp(before, window).pvalue < 0.05 for window in windows)


def three_sigma(before: Series, live: Series) -> int:
    means = np.convolve(live, np.full(_WINDOW, 1 / _WINDOW), "valid")
    return _begun(np.abs(means - before.mean()) > 3 * before.std())


def kswin(before: Series, live: Series) -> int:
    return _river(river_drift.KSWIN(seed=1, window=before[-100:].tolist()), live)


def adwin(before: Series, live: Series) -> int:
    detector = river_drift.ADWIN()
    for value in before:
        detector.update(float(value))
    return _river(detector, live)


def _river(detector: river_drift.ADWIN | river_drift.KSWIN, live: Series) -> int:
    alarms = 0
    for value in live:
        detector.update(float(value))
        alarms += detector.drift_detected
    return alarms


def _begun(hot: NDArray[np.bool_]) -> int:
    return int(hot[0]) + int((hot[1:] & ~hot[:-1]).sum())


_METHODS: dict[str, tuple[Callable[[Series, Series], int], int]] = {
    "streetloop": (streetloop, 1),
    "naive KS, 5 %": (naive, 10),  # slow ones see every tenth camera
    "3 sigma": (three_sigma, 1),
    "KSWIN": (kswin, 10),
    "ADWIN": (adwin, 1),
}


def interval(count: int, months: int) -> tuple[float, float]:
    """Exact interval of a Poisson rate (Garwood 1936)."""
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return low / months, chi2.ppf(0.975, 2 * count + 2) / 2 / months


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cameras", type=int, default=20)
    cameras = parser.parse_args().cameras
    table = Table(title=f"false alarms per camera in 30 days, {cameras} cameras")
    for name in ("method", "rho 0", "rho 0.5", "rho 0.9", "rho 0.98"):
        table.add_column(name, justify="left" if name == "method" else "right")
    cells: dict[str, list[str]] = {name: [] for name in _METHODS}
    for rho in track((0.0, 0.5, 0.9, 0.98), "dependence"):
        counts = dict.fromkeys(_METHODS, 0)
        months = dict.fromkeys(_METHODS, 0)
        for camera in range(cameras):
            chance = np.random.default_rng((camera, round(rho * 100)))
            before, live = (autoregressive(n, rho, chance) for n in (_WEEK, _MONTH))
            for name, (method, every) in _METHODS.items():
                if camera % every == 0:
                    counts[name] += method(before, live)
                    months[name] += 1
        for name in _METHODS:
            low, high = interval(counts[name], months[name])
            cells[name].append(f"{counts[name] / months[name]:.2f} ({low:.2f}-{high:.2f})")
    for name, row in cells.items():
        table.add_row(name, *row)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
