"""Moving pictures: one WebSocket carries those of all cameras."""

import asyncio
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, WebSocket
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocketDisconnect

from streetloop.control.port import DEFAULT_WIDTH, MAX_WIDTH, MIN_WIDTH, Control, Pictures
from streetloop.errors import StreetloopError

PERIOD_S, ROUND_S = 0.04, 0.1
_CAMERA_FIELDS = {"id", "city", "state", "error", "fps", "fps_decoded", "fps_detected", "objects"}
_SILENCE_S, _STATE_PERIOD_S = 30.0, 1.0


@dataclass(frozen=True, slots=True)
class _Request:
    """Cameras and width that a client asked for; all cameras if it named none.

    Attributes:
        cameras: Which cameras.
        width: Of their pictures.
        widths: Of the cameras that have a width of their own.
    """

    cameras: frozenset[str] | None = None
    width: int = DEFAULT_WIDTH
    widths: Mapping[str, int] = field(default_factory=dict)

    def parts(self) -> Iterator[tuple[int, frozenset[str] | None]]:
        """Widths, each with its cameras; None stands for all."""
        if self.cameras is None:
            yield self.width, None
            return
        own = {name: width for name, width in self.widths.items() if name in self.cameras}
        if rest := self.cameras - own.keys():
            yield self.width, rest
        for width in sorted(set(own.values())):
            yield width, frozenset(name for name, one in own.items() if one == width)


def live_route(control: Control, pictures: Pictures) -> APIRouter:
    """``/live``: a message is a round of pictures, see `message_of`.

    The client answers each with ``next``; a slow one gets fewer pictures, not later ones. One
    ``next`` ahead lets a round be made while another is under way. There are ten a second at most:
    eyes see no more in small pictures, and the detector wants the processor, too.

    Instead of ``next`` it may say what it wants from then on, or one of the two:
    ``{"cameras": ["a40", "b12"], "width": 480, "widths": {"b12": 1280}}``. A width is in pixels,
    and brought between `MIN_WIDTH` and `MAX_WIDTH`; ``widths`` are those of single cameras among
    ``cameras``.

    Args:
        control: Says how the cameras are.
        pictures: The newest pictures of running cameras.
    """
    routes = APIRouter()

    @routes.websocket("/live")
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        known: dict[str, int] = {}
        request = _Request()
        sent_at = begun_at = -math.inf
        try:
            while True:
                await asyncio.sleep(begun_at + ROUND_S - time.monotonic())
                begun_at = time.monotonic()
                found = await _newer(pictures, known, request)
                known |= {camera: number for camera, (number, _) in found.items()}
                states = None
                if time.monotonic() - sent_at >= _STATE_PERIOD_S:
                    states, sent_at = await run_in_threadpool(_cameras, control), time.monotonic()
                jpegs = {camera: jpeg for camera, (_, jpeg) in found.items()}
                await socket.send_bytes(message_of(jpegs, states))
                heard = await asyncio.wait_for(socket.receive(), _SILENCE_S)
                if heard["type"] == "websocket.disconnect":
                    return
                request = _read(heard.get("text") or "", request)
        except TimeoutError:
            await socket.close(1001, "nothing was heard for long")
        except WebSocketDisconnect:
            return

    return routes


def message_of(jpegs: Mapping[str, bytes], cameras: Sequence[Mapping[str, object]] | None) -> bytes:
    """One message, since each costs the way through Serve's proxy anew.

    Args:
        jpegs: A picture by camera.
        cameras: How they are; None to leave it out, as all but one message a second do.

    Returns:
        The length of the header in four bytes, the highest first; the header, JSON with
        ``pictures``, pairs of camera and length in bytes, and maybe ``cameras``; the pictures.
    """
    states = {} if cameras is None else {"cameras": cameras}
    sizes = [(name, len(jpeg)) for name, jpeg in jpegs.items()]
    header = json.dumps({"pictures": sizes, **states}).encode()
    return b"".join((len(header).to_bytes(4), header, *jpegs.values()))


def _cameras(control: Control) -> list[dict[str, object]] | None:
    try:
        views = control.cameras()
    except StreetloopError:  # the ledger may be back at the next second
        return None
    return [view.model_dump(mode="json", include=_CAMERA_FIELDS) for view in views]


async def _newer(
    pictures: Pictures, known: dict[str, int], request: _Request
) -> dict[str, tuple[int, bytes]]:
    """Those that have a newer picture; waits for one a little while."""
    for _ in range(25):
        found: dict[str, tuple[int, bytes]] = {}
        for width, cameras in request.parts():
            found |= await pictures.newest(known, width, cameras)
        if found:
            return found
        await asyncio.sleep(PERIOD_S)
    return {}


def _read(text: str, before: _Request) -> _Request:
    """What is wanted from now on; what makes no sense changes nothing."""
    if text == "next":
        return before
    try:
        said = json.loads(text[:100_000])
        cameras, width = said.get("cameras", before.cameras), said.get("width", before.width)
        if cameras is not None:
            cameras = frozenset(str(name) for name in cameras)
        widths = {str(name): _bounded(one) for name, one in said.get("widths", before.widths).items()}
        return _Request(cameras, _bounded(width), widths)
    except (ValueError, OverflowError, AttributeError, TypeError, RecursionError):
        return before


def _bounded(width: Any) -> int:
    return min(max(int(width), MIN_WIDTH), MAX_WIDTH)
