"""How fast the simulated city is drawn: frames a second on one core, the worst cases first.

    python -m benchmarks.city [--frames 150]

640x360, busy traffic, rain or night on, every camera of every city; processor time, not time on
the wall, so that a busy machine does not matter much. What drawing shares with truth is in neither:
the last column is the truth alone.
"""

import statistics
import time

import cv2
from rich.console import Console
from rich.table import Table

from benchmarks.report import finish, new_parser, parse_options
from streetloop.city.address import parse_address
from streetloop.city.view import View
from streetloop.city.world.places import PLACES


def speed(uri: str, frames: int) -> tuple[float, float]:
    """Frames a second drawn, and truths a second."""
    view = View(parse_address(uri))
    view.render(300)  # the still scene is built once, and the traffic for minutes
    rates = []
    for work in (view.render, view.truth):
        work(300)
        began = time.process_time()
        for frame in range(300, 300 + frames):
            work(frame)
        rates.append(frames / (time.process_time() - began))
    return rates[0], rates[1]


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--frames", type=int, default=150)
    options = parse_options(parser)
    frames = options.frames
    cv2.setNumThreads(1)
    table = Table(title=f"640x360, busy traffic, {frames} consecutive frames, one core")
    for name in ("camera", "night fps", "rain fps", "truth fps"):
        table.add_column(name, justify="left" if name == "camera" else "right")
    rates = []
    cameras: dict[str, dict[str, float]] = {}
    for city, place in PLACES.items():
        for camera in place.cameras:
            uri = f"sim://{city}/{camera}?traffic=busy&condition="
            (night, truth), (rain, _) = speed(f"{uri}night", frames), speed(f"{uri}rain", frames)
            rates += [night, rain]
            cameras[f"{city}/{camera}"] = {"night": round(night), "rain": round(rain), "truth": round(truth)}
            table.add_row(f"{city}/{camera}", f"{night:.0f}", f"{rain:.0f}", f"{truth:.0f}")
    Console().print(table)
    slowest, median = min(rates), statistics.median(rates)
    print(f"least {slowest:.0f}, median {median:.0f} frames a second")
    finish(options, {"frames_per_second": {"slowest": round(slowest), "median": round(median), **cameras}})


if __name__ == "__main__":
    main()
