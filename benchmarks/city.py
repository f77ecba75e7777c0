"""How fast the simulated city is drawn: frames a second on one core, the worst cases first.

    python -m benchmarks.city [--frames 150]

640x360, busy traffic, rain or night on, every camera of every city; processor time, not time on
the wall, so that a busy machine does not matter much. What drawing shares with truth is in neither:
the last column is the truth alone.
"""

import argparse
import statistics
import time

import cv2
from rich.console import Console
from rich.table import Table

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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=150)
    frames = parser.parse_args().frames
    cv2.setNumThreads(1)
    table = Table(title=f"640x360, busy traffic, {frames} consecutive frames, one core")
    for name in ("camera", "night fps", "rain fps", "truth fps"):
        table.add_column(name, justify="left" if name == "camera" else "right")
    rates = []
    for city, place in PLACES.items():
        for camera in place.cameras:
            uri = f"sim://{city}/{camera}?traffic=busy&condition="
            (night, truth), (rain, _) = speed(f"{uri}night", frames), speed(f"{uri}rain", frames)
            rates += [night, rain]
            table.add_row(f"{city}/{camera}", f"{night:.0f}", f"{rain:.0f}", f"{truth:.0f}")
    Console().print(table)
    print(f"least {min(rates):.0f}, median {statistics.median(rates):.0f} frames a second")


if __name__ == "__main__":
    main()
