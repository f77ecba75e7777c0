"""Endpoints of recorded video."""

import base64
import re
import shutil
import tempfile
import zipfile
from pathlib import Path as FilePath
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Query
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask

from serve.web.api.cameras import CameraId
from serve.web.api.problems import problems
from streetloop.control.archive_views import (
    ArchiveDayView,
    FootageView,
    PruneView,
    RecordedCameraView,
    SegmentFramesView,
    SegmentView,
    StorageView,
)
from streetloop.control.port import Control

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_TIME = "ISO 8601 date or time, or a duration before now: `90m`, `2h`, `7d`"
_MP4, _ZIP = "video/mp4", "application/zip"
MAX_EXPORT_S = 3600.0
"""Longest stretch of an export over HTTP, in seconds."""


def archive_routes(control: Control) -> APIRouter:
    """The endpoints of recorded video.

    Args:
        control: Answers them.
    """
    routes = APIRouter(tags=["archive"], responses=problems(_401="token missing or wrong"))

    @routes.get(
        "/cameras/{camera_id}/archive",
        summary="Recorded segments of a camera in a period, the oldest first",
        responses=problems(_404="no such camera, and none was recorded", _422="wrong time"),
    )
    def segments(
        camera_id: CameraId,
        since: Annotated[str, Query(alias="from", max_length=64, description=_TIME)] = "1d",
        until: Annotated[
            str | None, Query(alias="to", max_length=64, description=f"{_TIME}; default: now")
        ] = None,
    ) -> list[SegmentView]:
        return control.segments(camera_id, _time(since), None if until is None else _time(until))

    @routes.get("/archive/prune", summary="What the rules of retention would remove now; removes nothing")
    def dry_run() -> PruneView:
        return control.prune_archive(dry_run=True)

    @routes.get("/storage", summary="What is stored by class, its growth, and the days left")
    def storage() -> StorageView:
        return control.storage()

    @routes.get(
        "/archive/segments/{key:path}",
        summary="The video of a segment, whole or a range of its bytes",
        response_class=Response,
        responses=problems(_404="no such segment", _416="no such range")
        | {200: {"content": {_MP4: {}}}, 206: {"description": "a range", "content": {_MP4: {}}}},
    )
    def video(
        key: Annotated[str, Path(max_length=300)],
        codec: Annotated[
            Literal["h264"] | None, Query(description="encodes what is not H.264 anew; takes seconds")
        ] = None,
        wanted: Annotated[str | None, Header(alias="range", max_length=100)] = None,
    ) -> Response:
        return ranged(control.segment_bytes(key, as_h264=codec is not None), wanted)

    _add_lookups(routes, control)
    _add_details(routes, control)
    return routes


def _add_lookups(routes: APIRouter, control: Control) -> None:
    @routes.get(
        "/archive",
        summary="What is recorded of each camera in the hours of UTC that a period touches",
        responses=problems(_422="wrong time"),
    )
    def cameras(
        since: Annotated[str, Query(alias="from", max_length=64, description=_TIME)] = "1d",
        until: Annotated[
            str | None, Query(alias="to", max_length=64, description=f"{_TIME}; default: now")
        ] = None,
    ) -> list[RecordedCameraView]:
        return control.recorded_cameras(_time(since), None if until is None else _time(until))

    @routes.get("/archive/day", summary="What is recorded of all cameras in a local day")
    def day(
        day: Annotated[str | None, Query(max_length=64, description="a date; default: today")] = None,
    ) -> ArchiveDayView:
        return control.archive_day(day)

    @routes.get(
        "/archive/where",
        summary="The segment, and its second, of an event or of a frame of the review queue",
        responses=problems(_404="no such event or frame", _422="none is given, or both"),
    )
    def where(
        event: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="number of an event")] = None,
        frame: Annotated[str | None, Query(max_length=64, description="digest of a frame")] = None,
    ) -> FootageView:
        return control.footage_of(event=event, frame=frame)


def _add_details(routes: APIRouter, control: Control) -> None:
    @routes.get(
        "/archive/boxes/{key:path}",
        summary="What was found in the frames of a segment when they were seen",
        responses=problems(_404="no such segment"),
    )
    def boxes(key: Annotated[str, Path(max_length=300)]) -> SegmentFramesView:
        return control.segment_frames(key)

    @routes.get(
        "/cameras/{camera_id}/archive/export",
        summary="A stretch as one MP4, or as a ZIP of it and its manifest",
        response_class=FileResponse,
        responses=problems(_404="nothing was recorded in this time", _422="wrong time, or over an hour")
        | {200: {"content": {_MP4: {}, _ZIP: {}}}},
    )
    def export(
        camera_id: CameraId,
        since: Annotated[str, Query(alias="from", max_length=64, description=_TIME)],
        until: Annotated[str | None, Query(alias="to", max_length=64, description=_TIME)] = None,
        boxes: Annotated[bool, Query(description="draw the boxes of the detection log")] = False,
        form: Annotated[Literal["mp4", "zip"], Query(description="zip: with the manifest")] = "mp4",
    ) -> FileResponse:
        until = None if until is None else _time(until)
        folder = FilePath(tempfile.mkdtemp(prefix="streetloop-export-"))
        try:
            return _exported(control, folder, camera_id, (_time(since), until), boxes, form)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


def _exported(
    control: Control,
    folder: FilePath,
    camera_id: str,
    period: tuple[str, str | None],
    boxes: bool,
    form: Literal["mp4", "zip"],
) -> FileResponse:
    """The answer of an export; the folder goes once it is sent."""
    out = folder / f"{camera_id}.mp4"
    view = control.export_archive(camera_id, *period, out, boxes=boxes, most_s=MAX_EXPORT_S)
    digest = base64.b64encode(bytes.fromhex(view.sha256)).decode()
    headers = {"repr-digest": f"sha-256=:{digest}:"}  # RFC 9530
    if form == "zip":
        file = folder / f"{camera_id}.zip"
        with zipfile.ZipFile(file, "w") as pack:  # a video does not get smaller
            pack.write(out, out.name)
            pack.write(out.with_suffix(".json"), f"{camera_id}.json")
        out, headers = file, {}
    media_type = _ZIP if form == "zip" else _MP4
    done = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    return FileResponse(out, media_type=media_type, filename=out.name, headers=headers, background=done)


def ranged(data: bytes, wanted: str | None) -> Response:
    """Bytes as the answer to a request with a ``Range`` header (RFC 9110).

    A header of another form, or with several ranges, is passed over, as the RFC allows.

    Args:
        data: All of them.
        wanted: The header; None if there is none.
    """
    headers = {"accept-ranges": "bytes", "cache-control": "private, max-age=3600, immutable"}
    found = None if wanted is None else _RANGE.fullmatch(wanted.strip())
    if found is None or not any(found.groups()):
        return Response(data, media_type=_MP4, headers=headers)
    first, last = found.groups()
    start = int(first) if first else max(0, len(data) - int(last))
    end = min(int(last), len(data) - 1) if first and last else len(data) - 1
    if start > end:
        return Response(status_code=416, headers={"content-range": f"bytes */{len(data)}"})
    headers["content-range"] = f"bytes {start}-{end}/{len(data)}"
    return Response(data[start : end + 1], 206, media_type=_MP4, headers=headers)


def _time(text: str) -> str:
    """In a query, a + that is not written as %2B is a space."""
    return text.replace(" ", "+") if "T" in text else text
