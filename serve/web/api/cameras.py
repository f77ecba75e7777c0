"""Endpoints that list, add, change and remove cameras."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from serve.web.api.problems import problems
from streetloop.cameras.anomaly_parameters import Anomalies
from streetloop.cameras.camera_file import MAX_FPS, MIN_FPS, RECORD_MODES, SITE_PATTERN
from streetloop.cameras.camera_list import MAX_LIST_CHARACTERS, ListFormat
from streetloop.cameras.counting_line import CountingLine
from streetloop.cameras.zones import MAX_ZONES, Corners, Zone
from streetloop.control.history.camera_import import CameraImportView
from streetloop.control.history.camera_trial import CameraTrialView
from streetloop.control.port import MAX_OFFSET, MAX_PAGE_SIZE, Control, Pictures
from streetloop.control.views import CameraView, Page
from streetloop.counted_classes import ClassGroups
from streetloop.errors import NotFound
from streetloop.setting_types import Anonymise, Keep

AUTHOR = "api"

Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET, description="number of items to skip")]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE, description="largest number of items to return")]
Revision = Annotated[
    str | None,
    Header(max_length=70, description="`revision` of the camera that was read; no other one is changed"),
]
CameraId = Annotated[str, Path(min_length=1, max_length=64)]


class CameraIn(BaseModel):
    """A camera as the camera file has it."""

    model_config = ConfigDict(extra="forbid")

    uri: str = Field(
        min_length=1,
        max_length=2000,
        description="such as rtsp://host/path; its secrets are never shown again",
    )
    city: str | None = Field(default=None, min_length=1, max_length=100)
    site: str | None = Field(
        default=None, pattern=SITE_PATTERN, description="prefers nodes with the resource site:NAME"
    )
    fps: float | None = Field(
        default=None, ge=MIN_FPS, le=MAX_FPS, strict=True, description="frames to analyze per second"
    )
    transport: str = Field(default="tcp", pattern="^(tcp|udp)$")
    classes: ClassGroups | None = Field(
        default=None, description="classes to count, by the name they count under; default: the settings'"
    )
    record: str = Field(
        default="off",
        pattern=f"^({'|'.join(RECORD_MODES)})$",
        description="what is kept of its video: off, continuous, motion or events",
    )
    audio: bool = Field(default=False, description="keep the sound of what is recorded")
    anonymise: Anonymise | None = Field(
        default=None, description="blurs heads and plates in what is stored; default: the settings'"
    )
    keep: Keep | None = Field(
        default=None, description="how long recorded video stays, by class; default: the settings'"
    )
    lines: dict[str, CountingLine] = Field(
        default={}, max_length=50, description="counting lines in fractions of the image"
    )
    zones: dict[str, Zone] = Field(
        default={}, max_length=MAX_ZONES, description="parts of the picture in fractions of the image"
    )
    mask: tuple[Corners, ...] = Field(
        default=(), max_length=100, description="polygons that are blacked, in fractions of the image"
    )
    anomalies: Anomalies | None = Field(
        default=None, description="what is looked for; default: what the zones allow"
    )

    def document(self, camera_id: str) -> dict[str, Any]:
        """As the camera file has it."""
        return {"id": camera_id, **self.model_dump(exclude_none=True)}


class NewCamera(CameraIn):
    """A camera to add."""

    id: str = Field(min_length=1, max_length=64)

    def document(self, camera_id: str = "") -> dict[str, Any]:
        """As the camera file has it."""
        return self.model_dump(exclude_none=True) | ({"id": camera_id} if camera_id else {})


class CameraListIn(BaseModel):
    """A list of cameras."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    text: str = Field(
        min_length=1,
        max_length=MAX_LIST_CHARACTERS,
        description="CSV with the columns id, uri, city, site, fps, transport, record; or a camera file",
    )
    form: ListFormat = Field(default="yaml", alias="format")


def camera_routes(control: Control, pictures: Pictures | None) -> APIRouter:
    """The endpoints of cameras.

    Args:
        control: Answers them.
        pictures: The newest pictures of running cameras; None if no stream runs here.
    """
    routes = APIRouter(tags=["cameras"], responses=problems(_401="token missing or wrong"))
    missing = problems(_404="no such camera")
    wrong = problems(_422="the camera is invalid")

    @routes.get("/cameras", summary="All cameras, with their current state")
    def cameras(offset: Offset = 0, limit: Limit = 50) -> Page[CameraView]:
        found = control.cameras()
        return Page(items=found[offset : offset + limit], offset=offset, more=len(found) > offset + limit)

    @routes.post("/cameras", status_code=201, summary="Add a camera", responses=wrong)
    def add(camera: Annotated[NewCamera, Body()]) -> CameraView:
        return control.put_camera(camera.document(), AUTHOR, new=True)

    @routes.post("/cameras/import", summary="Add or change the cameras of a list", responses=wrong)
    def import_cameras(given: Annotated[CameraListIn, Body()]) -> CameraImportView:
        return control.import_cameras(given.text, given.form, "the list", AUTHOR)

    @routes.post("/cameras/try", summary="Open a camera without saving it", responses=wrong)
    def try_camera(camera: Annotated[NewCamera, Body()]) -> CameraTrialView:
        return control.try_camera(camera.document())

    @routes.get("/cameras/{camera_id}", summary="One camera", responses=missing)
    def camera(camera_id: CameraId) -> CameraView:
        return _one(control, camera_id)

    changed = problems(_412="its revision is not that of If-Match: somebody has changed it meanwhile")

    @routes.put("/cameras/{camera_id}", summary="Change a camera", responses=missing | wrong | changed)
    def change(
        camera_id: CameraId, camera: Annotated[CameraIn, Body()], if_match: Revision = None
    ) -> CameraView:
        seen = None if if_match is None else if_match.strip('"')
        return control.put_camera(camera.document(camera_id), AUTHOR, new=False, seen=seen)

    @routes.delete("/cameras/{camera_id}", status_code=204, summary="Remove a camera", responses=missing)
    def remove(camera_id: CameraId) -> None:
        control.remove_camera(camera_id, AUTHOR)

    @routes.get(
        "/cameras/{camera_id}/picture.jpg",
        summary="The newest picture of a camera, annotated",
        responses=missing | {200: {"content": {"image/jpeg": {}}}},
        response_class=Response,
    )
    async def picture(camera_id: CameraId) -> Response:
        found = {} if pictures is None else await pictures.newest({}, cameras=[camera_id])
        if camera_id not in found:
            raise NotFound(f"camera {camera_id!r} shows no picture now")
        return Response(found[camera_id][1], media_type="image/jpeg")

    return routes


def restore_route(control: Control) -> APIRouter:
    """The endpoint that takes the removal of a camera back.

    Args:
        control: Answers it.
    """
    routes = APIRouter(tags=["cameras"], responses=problems(_401="token missing or wrong"))

    @routes.post(
        "/cameras/{camera_id}/restore",
        summary="Add a camera again that was removed in the last ten minutes",
        responses=problems(_404="no such camera was removed lately")
        | problems(_422="the camera cannot be opened any more, or its id is taken"),
    )
    def restore(camera_id: CameraId) -> CameraView:
        return control.restore_camera(camera_id, AUTHOR)

    return routes


def _one(control: Control, camera_id: str) -> CameraView:
    for view in control.cameras():
        if view.id == camera_id:
            return view
    raise NotFound(f"there is no camera {camera_id!r}")
