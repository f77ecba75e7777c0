"""Eight cameras in real time under a real Ray Serve, and what is noted of their results."""

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from flows.stream.pipeline import StreamPipeline
from serve.detector.deployment import deploy
from serve.detector.serve_client import ServeDetector
from serve.rollout.route_table import RouteTable
from serve.rollout.statistics.evidence import Evidence
from streetloop.cameras.camera_file import Camera
from streetloop.city.address import parse_address
from streetloop.city.view import View
from streetloop.clock import SystemClock
from streetloop.secrets import SecretUri
from streetloop.settings import BASELINE, Settings
from streetloop.types import ArrayPicture
from tests.support.stream_flow.live import LiveSource, Stamps
from train.model.model_file import ModelFile, open_model

_PICTURES = 20
_TICK_S = 0.02
FATES = ("decoded", "detected", "gated", "dropped", "failed", "pending")


def wait_for(is_true: Callable[[], object], what: str, timeout_s: float = 90.0) -> None:
    """Wait for what other processes bring about."""
    end = time.monotonic() + timeout_s
    while not is_true():
        if time.monotonic() > end:
            raise SystemExit(f"not within {timeout_s:g} s: {what}")
        time.sleep(_TICK_S)


class Street:
    """A `serve.rollout.control.ports.Fleet` of cameras that are always on.

    Args:
        home: Of everything.
        cameras: How many.
        fps: Of each.
    """

    def __init__(self, home: Path, cameras: int, fps: float) -> None:
        self.settings = Settings(home=home, image_size=160, gate=False, drift=False, triage=False, threads=1)
        shipped = open_model(BASELINE, self.settings.models)
        self.champion = _copy(shipped, home / "old.onnx", self.settings)
        self.challenger = _copy(shipped, home / "new.onnx", self.settings)
        deploy(self.champion, self.settings)
        self.cameras = [
            Camera(id=f"camera-{k}", uri=SecretUri("sim://kingsport/crossing")) for k in range(cameras)
        ]
        view = View(parse_address("sim://kingsport/crossing?size=160x96&fps=10"))
        pictures = [ArrayPicture(view.render(frame)) for frame in range(_PICTURES)]
        self.stamps = Stamps([camera.id for camera in self.cameras])
        self._pipeline = StreamPipeline(
            [(camera, LiveSource(pictures, fps)) for camera in self.cameras],
            ServeDetector,
            self.settings,
            SystemClock(),
            [self.stamps],
            names=self.champion.names,
        )
        self.lookups = _timed(self._pipeline)
        self._pipeline.start()

    def follow(self, table: RouteTable) -> None:
        self._pipeline.follow(table)

    def collect_evidence(self) -> Evidence:
        return self._pipeline.evidence()

    def counts(self) -> dict[str, int]:
        """Frames of all cameras so far by what became of them."""
        accounts = [status.account for status in self._pipeline.snapshot().values()]
        return {fate: sum(getattr(account, fate) for account in accounts) for fate in FATES}

    def wait_past(self, moment: float) -> None:
        """Wait until every camera has a result of after a moment of the clock on the wall."""

        def all_have() -> bool:
            return all(self.stamps.between(moment).values())

        wait_for(all_have, "a result of every camera", 60.0 + max(0.0, moment - time.time()))

    def gap_at_rest(self, seconds: float) -> float:
        """The longest gap between two results of a camera while nothing happens."""
        began = time.time()
        self.wait_past(began + seconds)
        return self.stamps.longest_gap(began, began + seconds)

    def is_served_by(self, model: ModelFile, window_s: float = 0.5) -> bool:
        """True if all newest results of all cameras are a model's."""
        newest = self.stamps.between(time.time() - window_s)
        return all(
            found and all(version == model.version for _, version in found) for found in newest.values()
        )

    def close(self) -> None:
        self._pipeline.close()


def _copy(shipped: ModelFile, path: Path, settings: Settings) -> ModelFile:
    """The same model by another name: what is measured is the change, not the models."""
    shutil.copy(shipped.onnx, path)
    return open_model(str(path), settings.models)


def _timed(pipeline: StreamPipeline) -> list[tuple[float, int]]:
    """Seconds of each lookup in the route table from now on, and 1 if frames were sent after it."""
    took: list[tuple[float, int]] = []
    cameras_of, sent = pipeline.router.cameras_of, pipeline.router.sent

    def timed_cameras_of(*args: object) -> object:
        began = time.perf_counter()
        found = cameras_of(*args)  # type: ignore[arg-type]
        took.append((time.perf_counter() - began, 0))
        return found

    def counted_sent(frames: Sequence[object]) -> None:
        took.append((0.0, 1))
        sent(frames)  # type: ignore[arg-type]

    pipeline.router.cameras_of = timed_cameras_of  # type: ignore[assignment, method-assign]
    pipeline.router.sent = counted_sent  # type: ignore[assignment, method-assign]
    return took
