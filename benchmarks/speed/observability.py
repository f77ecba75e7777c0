"""What do metrics and reports cost?

    python -m benchmarks.observability

- Metrics of 16 cameras at 10 frames a second: CPU time of everything that only metrics need, as a
  share of a core, with a scrape every 15 s.
- A scrape of 1,000 cameras over HTTP, from an endpoint of its own, and the series of a camera.
- The incident report over 30 days of 100 cameras, without a language model: 9,000 events, 300
  drifts, 30 rollouts and a row of line counts for each camera and minute.
"""

import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
from rich.progress import track
from sqlalchemy import insert

from benchmarks.report import finish, new_parser, parse_options
from flows.reports.incidents.html import report_html
from flows.runtime.metrics.dependencies import PERIOD_S, Dependencies
from flows.runtime.metrics.endpoint import metrics_endpoint
from flows.runtime.metrics.exposition import expose
from flows.service.control_service import ControlService
from flows.stream.analysis.results import Result
from flows.stream.inference.batch import SourceAnswer
from flows.stream.sinks.stream_meter import StreamMeter
from streetloop.clock import SystemClock
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.schema.tables import events, line_counts
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from streetloop.types import Detections, Frame, Tracked
from tests.support.metrics import INFO, readings

_CAMERAS, _FPS, _SCRAPE_EVERY_S, _REPORTS_A_SECOND, _BATCH = 16, 10, 15, 2, 8
_MANY = 1000
_DAYS, _REPORTED, _EVENTS_A_DAY = 30, 100, 3
_KINDS = ("camera_lost", "frozen picture", "black picture", "too_fast", "drift")
_CAUSES = ("timed out after 5 s", "connection refused", "no route to host", None)
_REPEATS = 200


def cpu_s(call: Callable[[], object], times: int = _REPEATS) -> float:
    """CPU time of one call in seconds, the mean of many."""
    began = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - began) / times


def metrics_share(folder: Path) -> dict[str, float]:
    """CPU of the metrics of 16 cameras, per cent of a core, by part."""
    meter = StreamMeter("worker0", SystemClock())
    picture = np.zeros((8, 8, 3), np.uint8)
    boxes = Detections(np.zeros((10, 4), np.float32), np.full(10, 0.7, np.float32), np.zeros(10, np.int64))
    now = datetime.now(UTC)
    frame = Frame("camera-0", 1, 0.1, now, time.monotonic(), picture)
    result = Result(frame, Tracked(boxes, np.zeros(10, np.int64)), [], "model-1", np.ones(10, np.bool_))
    answer = SourceAnswer("champion", "model-1", [boxes] * _BATCH, 0.02, "onnx", 1)
    known = readings(_CAMERAS)
    dependencies = Dependencies(Settings(home=folder))
    frames_a_second = _CAMERAS * _FPS
    parts = {
        "frames": frames_a_second * cpu_s(lambda: meter.take(result), 10_000),
        "batches": frames_a_second / _BATCH * cpu_s(lambda: meter.answered(answer), 2_000),
        "reports": 2 * _REPORTS_A_SECOND * cpu_s(lambda: meter.read({}, {}), 2_000),
        "scrapes": cpu_s(lambda: expose(known, INFO)) / _SCRAPE_EVERY_S,
        "dependencies": cpu_s(dependencies.look) / PERIOD_S,
    }
    dependencies.close()
    shares = {name: round(100 * share, 4) for name, share in parts.items()}
    return {**shares, "all": round(100 * sum(parts.values()), 3)}


def scrape(folder: Path) -> dict[str, float]:
    """A scrape of 1,000 cameras over HTTP."""
    known, took, cpu = readings(_MANY), [], []
    with metrics_endpoint(Settings(home=folder), None) as endpoint:
        endpoint.text = lambda: expose(known, INFO)
        targets = (folder / "prometheus_targets.json").read_text()
        address = httpx.Response(200, text=targets).json()[0]["targets"][0]
        for _ in range(5):
            began, began_cpu = time.perf_counter(), time.process_time()
            said = httpx.get(f"http://{address}/metrics", timeout=30, trust_env=False).text
            took.append(time.perf_counter() - began)
            cpu.append(time.process_time() - began_cpu)
    lines = [line for line in said.splitlines() if not line.startswith("#")]
    of_one = sum('camera="camera-0"' in line for line in lines)
    return {
        "median_s": round(sorted(took)[2], 3),
        "slowest_s": round(max(took), 3),
        "median_cpu_s": round(sorted(cpu)[2], 3),
        "series": len(lines),
        "series_a_camera": of_one,
        "megabytes": round(len(said) / 1e6, 2),
    }


def _rows(now: datetime, draw: random.Random) -> Iterator[dict[str, object]]:
    for _ in range(_DAYS * _REPORTED * _EVENTS_A_DAY):
        began = now - timedelta(days=draw.uniform(0, _DAYS))
        yield {
            "kind": draw.choice(_KINDS),
            "camera_id": f"cam-{draw.randrange(_REPORTED)}",
            "started_at": began,
            "ended_at": began + timedelta(minutes=draw.uniform(0, 60)),
            "cause": draw.choice(_CAUSES),
            "detail": {},
            "evidence": [],
        }


def fill(ledger: Ledger) -> None:
    """Thirty days of a hundred cameras."""
    now, draw = datetime.now(UTC), random.Random(1)
    last = int(now.timestamp() // 60)
    with ledger.transaction() as connection:
        connection.execute(insert(events), list(_rows(now, draw)))
    for day in track(range(_DAYS), "a month of counts"):
        rows = [
            {
                "camera_id": f"cam-{camera}",
                "minute": last - day * 1440 - minute,
                "line": "gate",
                "direction": "in",
                "class_name": "car",
                "count": draw.randrange(9),
                "inferred": 0,
            }
            for camera in range(_REPORTED)
            for minute in range(1440)
        ]
        with ledger.transaction() as connection:
            connection.execute(insert(line_counts), rows)


def report(folder: Path) -> dict[str, float]:
    """The report over 30 days: the first, which numbers all incidents, and one after it."""
    settings = Settings(home=folder)
    ledger = open_ledger(settings.ledger)
    fill(ledger)
    figures: dict[str, float] = {}
    for name in ("first", "again"):
        control = ControlService(settings, [])
        began, began_cpu = time.perf_counter(), time.process_time()
        found = control.incident_report(f"{_DAYS}d")
        figures[f"{name}_s"] = round(time.perf_counter() - began, 2)
        figures[f"{name}_cpu_s"] = round(time.process_time() - began_cpu, 2)
    began = time.perf_counter()
    page = report_html(found, ledger, open_store(settings))
    figures |= {
        "page_s": round(time.perf_counter() - began, 2),
        "incidents": len(found.incidents),
        "page_megabytes": round(len(page) / 1e6, 2),
    }
    ledger.close()
    return figures


def main() -> None:
    """Run it."""
    options = parse_options(new_parser(__doc__))
    figures: dict[str, object] = {"load_before": round(os.getloadavg()[0], 1)}
    for name, measure in {
        "metrics_per_cent_of_a_core": metrics_share,
        "scrape_of_1000_cameras": scrape,
        "report_of_30_days_and_100_cameras": report,
    }.items():
        with tempfile.TemporaryDirectory() as folder:
            figures[name] = measure(Path(folder))
        print(name, figures[name])
    finish(options, figures)


if __name__ == "__main__":
    main()
