"""What watching costs: a sampled picture, and a minute of a thousand cameras.

python -m benchmarks.drift_speed [--cameras 1000]
"""

import time
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
from rich.console import Console

from benchmarks.report import finish, new_parser, parse_options
from drift.change import WatchPolicy
from drift.fleet import FleetWatch
from drift.measurement.features import MIN_SPREADS, NAMES
from drift.measurement.image_features import cells_of, edges_of, measure_image
from drift.measurement.period import DriftPeriod
from streetloop.city.address import parse_address
from streetloop.city.view import View

_START = datetime(2026, 6, 1, tzinfo=UTC)
_PAST, _MEASURED = 300, 60


def picture_ms() -> float:
    view = View(parse_address("sim://kingsport/crossing?traffic=busy"))
    pictures = [view.render(k * 50) for k in range(20)]
    spent = []
    for picture in pictures * 5:
        began = time.perf_counter()
        measure_image(picture)
        edges_of(picture)
        cells_of(picture)
        spent.append(time.perf_counter() - began)
    return float(np.median(spent)) * 1e3


def minutes(cameras: int, number: int, rng: np.random.Generator) -> list[DriftPeriod]:
    edges = np.asarray(_EDGES + rng.normal(0, 1e-4, _EDGES.shape), np.float32)
    values = 5 + rng.normal(size=(cameras, len(NAMES))) * np.array([MIN_SPREADS[n] for n in NAMES])
    mixes = rng.poisson((6.0, 1.0, 0.3), (cameras, 3))
    return [
        DriftPeriod(
            f"camera-{k}",
            _START + timedelta(minutes=number),
            60.0,
            "model",
            30,
            30,
            dict(zip(NAMES, row, strict=True)),
            dict(zip(("car", "truck", "bus"), mix, strict=True)),
            640,
            360,
            10.0,
            False,
            edges,
            cells=_CELLS,
        )
        for k, (row, mix) in enumerate(zip(values.tolist(), mixes.tolist(), strict=True))
    ]


_PICTURE = View(parse_address("sim://kingsport/crossing")).render(0)
_EDGES, _CELLS = edges_of(_PICTURE), cells_of(_PICTURE)


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--cameras", type=int, default=1000)
    options = parse_options(parser)
    cameras = options.cameras
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    fleet = FleetWatch(WatchPolicy())
    spent = []
    for number in range(_PAST + _MEASURED):
        batch = minutes(cameras, number, rng)
        if number < _PAST:
            for minute in batch:
                fleet.camera(minute.camera_id).remember(minute)
            continue
        began = time.perf_counter()
        fleet.take(batch)
        spent.append(time.perf_counter() - began)
    later = spent[1:]  # the first builds every reference at once
    console = Console(highlight=False)
    features_ms = picture_ms()
    console.print(f"features of a picture at 640x360: {features_ms:.2f} ms")
    console.print(
        f"a minute of {cameras} cameras: median {np.median(later):.2f} s, "
        f"mean {np.mean(later):.2f} s with new references, worst {max(later):.2f} s; "
        f"the first {spent[0]:.1f} s"
    )

    figures = {
        "features_ms": round(features_ms, 3),
        "cameras": cameras,
        "period_s_median": round(float(np.median(later)), 3),
        "period_s_mean": round(float(np.mean(later)), 3),
        "period_s_worst": round(max(later), 3),
        "period_s_first": round(spent[0], 3),
    }
    finish(options, figures)


if __name__ == "__main__":
    main()
