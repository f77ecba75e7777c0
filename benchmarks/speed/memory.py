"""What a camera costs in memory, and whether a long run grows.

    python -m benchmarks.memory cameras      # a worker with 1 camera beside one with 5
    python -m benchmarks.memory soak --minutes 30

The private memory of the worker and of the detector. What they share with each other through Ray's
object store is bounded by its size and left out: its pages are touched one after another, which
looks like growth.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.material import DATA, WEIGHTS
from benchmarks.report import finish, new_parser, parse_options

_TITLES = {"worker": "ray::StreamWorker", "detector": "ray::ServeReplica:champion"}
_MB = 2**20


class Run:
    """`streetloop run` on clips that loop, in a process of its own."""

    def __init__(self, cameras: int, seconds: float, clip: Path) -> None:
        self.home = tempfile.mkdtemp(prefix="streetloop-bench-")
        file = Path(self.home) / "cameras.yaml"
        entries = [{"id": f"c{k}", "uri": f"{clip.as_uri()}?loop=1"} for k in range(cameras)]
        file.write_text(yaml.safe_dump({"cameras": entries}))
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "flows.cli.main",
                "run",
                str(file),
                "--model",
                str(WEIGHTS),
                "--duration",
                str(seconds),
                "--json",
            ],
            env={**os.environ, "STREETLOOP_HOME": self.home, "STREETLOOP_CAMERAS_PER_WORKER": "64"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def memory_mb(self) -> dict[str, float]:
        """Size of each process of interest that is there."""
        sizes = {}
        for process in psutil.process_iter():
            try:
                title = " ".join(process.cmdline())
                for name, start in _TITLES.items():
                    if title.startswith(start) and process.environ().get("STREETLOOP_HOME") == (self.home):
                        sizes[name] = process.memory_full_info().uss / _MB
            except psutil.Error:
                continue
        return sizes


def cameras(clip: Path, seconds: float) -> dict[str, float]:
    sizes = {}
    for count in (1, 5):
        run = Run(count, seconds, clip)
        samples = []
        while run.process.poll() is None:
            if size := run.memory_mb().get("worker"):
                samples.append(size)
            time.sleep(1)
        # The last third, without the end, when the worker may be gone or writing.
        sizes[count] = float(np.median(samples[-len(samples) // 3 : -2]))
        run.process.communicate()
    print(
        f"worker with 1 camera {sizes[1]:.0f} MB, with 5 cameras {sizes[5]:.0f} MB: "
        f"{(sizes[5] - sizes[1]) / 4:.1f} MB a camera more"
    )
    return {"worker_1_mb": sizes[1], "worker_5_mb": sizes[5], "a_camera_mb": (sizes[5] - sizes[1]) / 4}


def soak(clip: Path, minutes: float) -> dict[str, float]:
    run = Run(4, minutes * 60, clip)
    rows: list[tuple[float, float, float]] = []
    began = time.monotonic()
    while run.process.poll() is None:
        size = run.memory_mb()
        if size.keys() == _TITLES.keys():
            rows.append(((time.monotonic() - began) / 60, size["worker"], size["detector"]))
        time.sleep(15)
    stdout, _ = run.process.communicate()
    values = np.array([row for row in rows if row[0] > minutes / 6])
    table = Table(title=f"{minutes:g} minutes, 4 cameras")
    for name in ("process", "median MB", "growth MB/h"):
        table.add_column(name, justify="right")
    figures = {}
    for column, name in enumerate(_TITLES, start=1):
        slope = np.polyfit(values[:, 0] / 60, values[:, column], 1)[0]
        figures[f"{name}_mb"] = float(np.median(values[:, column]))
        figures[f"{name}_mb_an_hour"] = float(slope)
        table.add_row(name, f"{np.median(values[:, column]):.0f}", f"{slope:+.1f}")
    Console().print(table)
    for sample in rows[:: max(1, len(rows) // 10)]:
        print("minute {:5.1f}: worker {:6.1f} MB, detector {:6.1f} MB".format(*sample))
    totals = [camera["decoded"] for camera in json.loads(stdout)["cameras"].values()]
    print(f"{sum(totals)} frames decoded")
    return {**figures, "decoded": sum(totals)}


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("what", choices=["cameras", "soak"])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--clip", type=Path, default=DATA / "videos/vtest-pedestrians_768x576.mp4")
    options = parse_options(parser)
    clip = options.clip.resolve()
    figures = cameras(clip, options.seconds) if options.what == "cameras" else soak(clip, options.minutes)
    finish(options, figures, options.what)


if __name__ == "__main__":
    main()
