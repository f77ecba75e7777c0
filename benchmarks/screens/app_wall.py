"""What the app shows and costs with 4, 16 and 64 simulated cameras: paint, pictures, processor.

    python -m benchmarks.app_wall [--seconds 15]

Each wall is that of a `streetloop up` of its own, of pictures of 320x180 and with a detector that
costs nothing, in Chromium at 1366x768. The processor time is that of the process with the API and
the app, while the wall is watched and after the browser is closed.
"""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml
from playwright.sync_api import Page
from rich.console import Console
from rich.table import Table

from benchmarks.app import shown
from benchmarks.report import finish, new_parser, parse_options
from serve.web.web_app import WEB_APP
from tests.support.programs.cli import Command, processes_of
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from tests.support.servers.browser import Complaints, chromium
from tests.support.servers.ports import free_port

WALLS = ((4, 15.0), (16, 5.0), (64, 1.0))
"""Cameras, and frames a second of each."""

_SETTINGS = {"drift": False, "triage": False, "gate": False, "image_size": 160, "learn": False}
_START_S, _SETTLE_S = 240.0, 8.0


@contextmanager
def _running(cameras: int, fps: float) -> Iterator[tuple[str, psutil.Process]]:
    """Address and process of the app of so many cameras, once all are live."""
    with tempfile.TemporaryDirectory() as folder:
        port, home = free_port(), Path(folder) / "home"
        model = write_tiny_model(Path(folder) / "tiny.onnx", detector_output((60, 50, 30, 30, 0, 0.9)))
        entries = [
            {
                "id": f"street-{k}",
                "fps": fps,
                "uri": f"sim://kingsport/crossing?size=320x180&fps={fps}&seed={k}",
            }
            for k in range(cameras)
        ]
        file = Path(folder) / "cameras.yaml"
        settings = {**_SETTINGS, "app_port": port}
        file.write_text(yaml.safe_dump({"cameras": entries, "settings": settings}))
        command = Command("up", str(file), "--model", str(model), home=home)
        try:
            _wait_until_live(f"http://127.0.0.1:{port}", cameras, command)
            yield f"127.0.0.1:{port}", _app_of(home)
        finally:
            if command.process.poll() is None:
                command.interrupt()
            command.finish()


def _wait_until_live(url: str, cameras: int, command: Command) -> None:
    end, tick = time.monotonic() + _START_S, threading.Event()
    while time.monotonic() < end and command.process.poll() is None:
        try:
            if httpx.get(f"{url}/ready", timeout=10, trust_env=False).json().get("live") == cameras:
                return
        except (httpx.HTTPError, ValueError):
            pass
        tick.wait(0.5)
    raise SystemExit(f"{cameras} cameras did not come to life: {command.finish(30).stderr}")


def _app_of(home: Path) -> psutil.Process:
    for process in processes_of(home):
        if " ".join(process.cmdline()).startswith(f"ray::ServeReplica:{WEB_APP}"):
            return process
    raise SystemExit("no process of the app was found")


def _cores(process: psutil.Process, page: Page | None, seconds: float) -> float:
    """Cores that a process used within some seconds."""
    before, began = process.cpu_times(), time.monotonic()
    if page is None:
        threading.Event().wait(seconds)
    else:
        page.wait_for_timeout(1000 * seconds)
    after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) / (time.monotonic() - began)


def measure(cameras: int, fps: float, seconds: float) -> dict[str, Any]:
    """One wall."""
    with _running(cameras, fps) as (host, process):
        with chromium() as browser:
            page = browser.new_page(viewport={"width": 1366, "height": 768})
            heard = Complaints(page, host)
            page.goto(f"http://{host}/app/")
            page.wait_for_selector("#sl-wall figure[data-shown]", timeout=60_000)
            paint = page.evaluate("performance.getEntriesByType('paint').map(e => e.startTime)")
            page.wait_for_timeout(1000 * _SETTLE_S)
            before, began = shown(page), time.monotonic()
            watched = _cores(process, page, seconds)
            passed, after = time.monotonic() - began, shown(page)
            errors, elsewhere = list(heard.errors), list(heard.elsewhere)
        threading.Event().wait(_SETTLE_S)
        alone = _cores(process, None, seconds)
    rates = [(after[name] - before.get(name, 0)) / passed for name in after]
    return {
        "cameras": cameras,
        "frames a second": fps,
        "first paint, s": round(max(paint) / 1000, 2),
        "pictures a second, slowest": round(min(rates), 1),
        "pictures a second, mean": round(sum(rates) / len(rates), 1),
        "cores watched": round(watched, 2),
        "cores unwatched": round(alone, 3),
        "console errors": len(errors),
        "requests elsewhere": len(elsewhere),
    }


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=15.0)
    options = parse_options(parser)
    rows = [measure(cameras, fps, options.seconds) for cameras, fps in WALLS]
    table = Table(*rows[0], box=None)
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)
    finish(options, {"walls": rows})


if __name__ == "__main__":
    main()
