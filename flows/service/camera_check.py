"""``streetloop check``: does every camera open, and what is it?"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from flows.stream.sources.registry import open_source
from streetloop.cameras import Camera
from streetloop.clock import SystemClock
from streetloop.errors import StreetloopError
from streetloop.video import VideoInfo

_AT_A_TIME = 16


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was found about a camera: either ``info`` or ``problem``."""

    camera: Camera
    info: VideoInfo | None
    problem: str | None


def check_cameras(cameras: Sequence[Camera]) -> Iterator[CheckResult]:
    """Open every camera, several at a time; results come in the order of the file."""
    with ThreadPoolExecutor(max_workers=_AT_A_TIME) as pool:
        yield from pool.map(_check, cameras)


def _check(camera: Camera) -> CheckResult:
    try:
        return CheckResult(camera, open_source(camera, SystemClock()).probe(), None)
    except StreetloopError as error:
        return CheckResult(camera, None, str(error))
