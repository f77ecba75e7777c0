"""The animated picture of the README: the app's wall while night falls, in a real Chromium.

    python docs/img/make_app_picture.py [--frames 20] [--out docs/img/app.webp]

The shipped detector looks at the demo's four streets, tracks and counts, frame by frame and without
Ray. The app shows what came of it, and is photographed once per frame. Needs Debian's chromium.
"""

import argparse
import io
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from PIL import Image as PillowImage
from playwright.sync_api import Page, ViewportSize, sync_playwright

from flows.demo.scenario import CAMERAS
from flows.service.control_service import ControlService
from flows.service.views import live_view
from flows.stream.analysis.results import Result
from flows.stream.analysis.status import CameraStatus
from flows.stream.pipeline import StreamPipeline
from flows.stream.sinks.annotated_video import draw
from flows.stream.sources.registry import open_source
from serve.detector.client import LocalDetector
from serve.rollout.policy import Policy
from serve.web.access.roles import AccessTokens, Guard
from serve.web.api.create import create_api
from serve.web.app.page import mount_page
from streetloop.cameras.camera_file import Camera, parse_camera
from streetloop.clock import SystemClock
from streetloop.images import encode_jpeg
from streetloop.settings import BASELINE, Settings
from streetloop.types import Detections, Image
from train.model.model_file import open_model
from train.model.predictor import Predictor

FPS, SHOWN_FPS = 15, 5
PORT = 8765
SIZE: ViewportSize = {"width": 1200, "height": 800}
_WIDTH = 640
_START_S = 40  # second of the city
_WARM_UP_S = 4.0  # tracks are there, and something has crossed a line
_CHROMIUM = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
_DRAWN = """want => [...document.querySelectorAll('#sl-wall figure')]
    .every(figure => Number(figure.dataset.shown || 0) >= want)"""


class PictureKeeper:
    """A `Sink` that keeps every third drawn frame, and a `Pictures` that shows one of them."""

    def __init__(self, cameras: list[Camera], names: tuple[str, ...]) -> None:
        self._lines, self._names = (
            {c.id: {n: line.points for n, line in c.lines.items()} for c in cameras},
            names,
        )
        self._drawn: dict[str, list[bytes]] = {camera.id: [] for camera in cameras}
        self._counts: dict[str, dict[str, Counter[str]]] = {
            camera.id: {line: Counter() for line in camera.lines} for camera in cameras
        }
        self.shown = 0

    def take(self, result: Result) -> None:
        """See `Sink.take`."""
        frame, counts = result.frame, self._counts[result.frame.camera_id]
        for crossing in result.crossings:
            counts[crossing.line][crossing.direction] += 1
        if frame.pts >= _WARM_UP_S and frame.frame_id % (FPS // SHOWN_FPS) == 0:
            image = draw(result, self._names, self._lines[frame.camera_id], counts, width=_WIDTH)
            self._drawn[frame.camera_id].append(encode_jpeg(image, 90))

    def close(self) -> None:
        """See `Sink.close`."""

    async def newest(
        self,
        after: Mapping[str, int],
        width: int = _WIDTH,  # noqa: ARG002
        cameras: Collection[str] | None = None,
    ) -> dict[str, tuple[int, bytes]]:
        """See `streetloop.control.Pictures`."""
        now = self.shown
        newer = {name: (now, all_[now]) for name, all_ in self._drawn.items() if after.get(name) != now}
        return {name: one for name, one in newer.items() if cameras is None or name in cameras}


def watch(home: Path, frames: int) -> tuple[list[Camera], dict[str, CameraStatus], PictureKeeper]:
    """Detect in the four streets until there are so many frames to show."""
    settings = Settings(home=home, gate=False, image_size=640)
    last = round((_WARM_UP_S + frames / SHOWN_FPS) * FPS)
    falls = f"night@{_START_S + _WARM_UP_S + 1:g}:{max(1.0, frames / SHOWN_FPS - 2):g}"
    cameras = [
        parse_camera({"id": name, "city": name.split("-")[0], "uri": f"{uri}{options}", "lines": lines})
        for name, (uri, lines) in CAMERAS.items()
        for options in [
            f"&traffic=busy&fps={FPS}&frames={last + 1}&condition={falls}&live=0&start={_START_S}"
        ]
    ]
    model = open_model(BASELINE, settings.models)
    detector = LocalDetector(Predictor(model, image_size=settings.image_size), settings.track_floor)
    recorder = PictureKeeper(cameras, model.names)
    sources = [(camera, open_source(camera, SystemClock())) for camera in cameras]
    pipeline = StreamPipeline(sources, lambda _: detector, settings, SystemClock(), [recorder])
    pipeline.start()
    while not pipeline.wait(10.0):
        pass
    statuses = dict(pipeline.snapshot())
    pipeline.close()
    detector.close()
    return cameras, statuses, recorder


async def see_nothing(_: Image) -> tuple[str, Detections]:
    """A detector that nobody asks."""
    return "none", Detections.empty()


@contextmanager
def served(
    home: Path, cameras: list[Camera], statuses: Mapping[str, CameraStatus], of: PictureKeeper
) -> Iterator[str]:
    """The app over these cameras; its address."""
    views = [live_view(c, statuses[c.id], (FPS, FPS), "champion") for c in cameras]
    views = [type(view).model_validate({**view.model_dump(), "state": "live"}) for view in views]
    service = ControlService(Settings(home=home), cameras, Policy(), lambda: views)
    guard = Guard(AccessTokens())
    api = mount_page(create_api(see_nothing, (), 0.25, guard, service, of), service, guard)
    server = uvicorn.Server(uvicorn.Config(api, port=PORT, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{PORT}/app/?__theme=light"
    finally:
        server.should_exit = True
        thread.join(10.0)


def photograph(page: Page, recorder: PictureKeeper, frames: int) -> list[PillowImage.Image]:
    """One picture of the page per frame, once the wall shows it."""
    taken = []
    for number in range(frames):
        recorder.shown = number
        page.wait_for_function(_DRAWN, arg=number + 1, timeout=30_000)
        taken.append(PillowImage.open(io.BytesIO(page.screenshot())).convert("RGB"))
    return taken


def main() -> None:
    """Watch, serve, photograph, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--width", type=int, default=880)
    parser.add_argument("--quality", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("app.webp"))
    choice = parser.parse_args()
    program: Any = shutil.which("chromium")
    with tempfile.TemporaryDirectory(prefix="streetloop-picture-") as folder:
        home = Path(folder)
        cameras, statuses, recorder = watch(home, choice.frames)
        with served(home, cameras, statuses, recorder) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, headless=True, args=_CHROMIUM)
            page = browser.new_page(viewport=SIZE)
            page.goto(address, timeout=120_000)
            page.wait_for_selector("#sl-wall figure", timeout=60_000)
            taken = photograph(page, recorder, choice.frames)
            browser.close()
    height = round(taken[0].height * choice.width / taken[0].width)
    small = [image.resize((choice.width, height), PillowImage.Resampling.LANCZOS) for image in taken]
    first, *others = small
    first.save(
        choice.out,
        save_all=True,
        append_images=others,
        duration=1000 // SHOWN_FPS,
        loop=0,
        quality=choice.quality,
        method=6,
    )


if __name__ == "__main__":
    main()
