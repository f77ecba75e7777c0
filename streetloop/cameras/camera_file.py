"""The camera file: which cameras there are and what is wanted of each."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import SettingsError

from streetloop.alerting.mute import Mute, parse_mute
from streetloop.alerting.sink_config import EventSinkConfig, parse_sinks
from streetloop.cameras.anomaly_parameters import Anomalies
from streetloop.cameras.camera_address import parse_address
from streetloop.cameras.camera_faults import (
    CAMERA_ID,
    faults_by_key,
    plain,
    refusal,
    refusal_of_one,
    sentences,
    twice,
)
from streetloop.cameras.camera_yaml import misread, read_text, read_yaml
from streetloop.cameras.counting_line import CountingLine, number
from streetloop.cameras.zones import MAX_ZONES, Corners, Zone, refuse_bad_names, refuse_unsound_mask
from streetloop.counted_classes import ClassGroups, class_faults, groups_to_plain, is_one_line
from streetloop.errors import ConfigError
from streetloop.secrets import SecretUri
from streetloop.setting_types import Anonymise, Keep
from streetloop.settings import Settings

MIN_FPS, MAX_FPS = 0.001, 1000.0
"""Bounds of a rate; the lower one is a frame in some seventeen minutes."""

_OF_THE_ENVIRONMENT = {"home", "api_token", "operator_token", "viewer_token"}
SITE_PATTERN = r"^[A-Za-z0-9._-]{1,100}$"
_TIME = re.compile(r"\d{1,3}(?::\d{1,3}){1,3}")
_MOST_LINES, _MOST_MASKS = 50, 100

RECORD_MODES = ("off", "continuous", "motion", "events")
"""What a camera may keep of its video."""


def _name(value: str) -> str:
    if not CAMERA_ID.fullmatch(value):
        way_out = f"; write {value.replace(':', '-')}" if _TIME.fullmatch(value) else ""
        raise ValueError(
            f"must be 1 to 64 letters, digits, '.', '_' or '-', starting with a letter or digit{way_out}"
        )
    return value


def _text(value: object) -> object:
    why = misread(value)
    if why is not None:
        raise ValueError(why)
    return value


def _printed(value: str | None) -> str | None:
    if value is not None and not is_one_line(value):
        raise ValueError("has a line break or another control character")
    return value


def _polygons(value: object) -> object:
    polygon = value[0] if isinstance(value, (list, tuple)) and value else None
    corner = polygon[0] if isinstance(polygon, (list, tuple)) and polygon else None
    if isinstance(corner, (int, float)):
        raise ValueError("must be a list of polygons, as [[[0, 0], [1, 0], [1, 1]]]; it is one polygon")  # noqa: TRY004
    return value


def _record(value: object) -> object:
    mode = "off" if value is False else value  # as YAML reads it
    if mode not in RECORD_MODES:
        raise ValueError(f"must be one of {', '.join(RECORD_MODES)}")
    return mode


class Camera(BaseModel):
    """One camera, as the user describes it.

    Attributes:
        id: Names the camera everywhere; letters, digits, ``.``, ``_`` and ``-``.
        uri: Where its pictures come from; printed without credentials.
        city: Groups cameras.
        site: Its worker runs on a node of a Ray cluster with the resource ``site:NAME``, if one
            lives; 1 to 100 letters, digits, ``.``, ``_`` and ``-``.
        fps: Frames to analyse a second, 0.001 to 1000; None for as many as keep up.
        transport: How RTSP carries the pictures.
        classes: The classes that are tracked and counted, see `CountedClasses`; None for those of
            the settings.
        record: What is kept of its video: ``off`` for nothing, ``continuous`` for all,
            ``motion`` or ``events`` for what is near those.
        audio: True keeps the sound of what is recorded, too.
        keep: How long what is kept stays, by class; what is not said here the settings say.
        anonymise: ``heads_and_plates`` blurs those in pictures that are stored, and in exports;
            None for what the settings say.
        lines: At most 50 counting lines by name, each from a point to a point in fractions of the
            image; a name is 1 to 100 characters that can be printed.
            Seen from the first point towards the second, crossing from left to right is "in".
            See `CountingLine` for classes and speeds.
        zones: At most 1000 parts of the picture by name, see `Zone`; names as those of lines.
        mask: At most 100 polygons in fractions of the image that are blacked before anything is
            stored, shown, labeled or detected.
        anomalies: What is looked for; None for what the zones allow, see `docs/anomalies.md`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    id: Annotated[str, BeforeValidator(_text)]
    uri: Annotated[SecretUri, BeforeValidator(parse_address)]
    city: Annotated[str | None, BeforeValidator(_text), AfterValidator(_printed)] = Field(
        default=None, min_length=1, max_length=100
    )
    site: Annotated[str | None, BeforeValidator(_text)] = Field(default=None, pattern=SITE_PATTERN)
    fps: Annotated[float | None, BeforeValidator(number)] = Field(default=None, ge=MIN_FPS, le=MAX_FPS)
    transport: str = Field(default="tcp", pattern="^(tcp|udp)$")
    classes: ClassGroups | None = None
    record: Annotated[str, BeforeValidator(_record)] = "off"
    audio: bool = False
    keep: Keep | None = None
    anonymise: Anonymise | None = None
    lines: dict[str, CountingLine] = {}
    zones: dict[str, Zone] = {}
    mask: Annotated[tuple[Corners, ...], BeforeValidator(_polygons)] = Field(
        default=(), max_length=_MOST_MASKS
    )
    anomalies: Anomalies | None = None

    @field_validator("id")
    @classmethod
    def _id_is_a_name(cls, value: str) -> str:
        return _name(value)

    @field_validator("lines")
    @classmethod
    def _lines_have_names(cls, lines: dict[str, CountingLine]) -> dict[str, CountingLine]:
        refuse_bad_names("line", lines, _MOST_LINES)
        return lines

    @field_validator("zones")
    @classmethod
    def _zones_have_names(cls, zones: dict[str, Zone]) -> dict[str, Zone]:
        refuse_bad_names("zone", zones, MAX_ZONES)
        return zones

    @field_validator("mask")
    @classmethod
    def _masks_are_areas(cls, mask: tuple[Corners, ...]) -> tuple[Corners, ...]:
        refuse_unsound_mask(mask)
        return mask


class CameraFile(BaseModel):
    """The whole file: ``cameras:`` and, optionally, the others.

    Attributes:
        cameras: None at all only where `check_camera_file` is told that there may be none.
        sinks: Event sinks by name.
        mute: Events that are not sent.
        settings: Settings of the run by name; the file's ``classes`` are among them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cameras: list[Camera]
    classes: ClassGroups | None = Field(default=None, exclude=True)
    settings: dict[str, Any] = {}
    sinks: dict[str, EventSinkConfig] = {}
    mute: tuple[Mute, ...] = ()

    @field_validator("sinks", mode="before")
    @classmethod
    def _sinks_are_right(cls, value: object) -> object:
        return parse_sinks(value)

    @field_validator("mute", mode="before")
    @classmethod
    def _mutes_are_right(cls, value: object) -> object:
        if not isinstance(value, (list, tuple)):
            raise ValueError("must be a list such as [{kind: queue, between: 22:00-06:00}]")  # noqa: TRY004
        found, faults = [], []
        for one in value:
            try:
                found.append(parse_mute(one))
            except ConfigError as error:
                faults.append(str(error).removeprefix("mute: "))
        if faults:
            raise ValueError("\n".join(faults))
        return tuple(found)

    @model_validator(mode="after")
    def _classes_are_a_setting(self) -> "CameraFile":
        if self.classes is not None:
            self.settings["classes"] = groups_to_plain(self.classes)
        return self

    @field_validator("settings")
    @classmethod
    def _settings_are_known(cls, values: dict[str, Any]) -> dict[str, Any]:
        unknown = [_unknown_setting(key) for key in values if not _is_setting(key)]
        if unknown:
            raise ValueError("\n".join(unknown))
        return values


def load_cameras(path: Path, *, may_be_empty: bool = False) -> CameraFile:
    """Read and check a camera file.

    Args:
        path: The file.
        may_be_empty: Whether its list of cameras may be empty, as that of `streetloop up`, whose
            cameras the app adds.

    Raises:
        ConfigError: The file cannot be read or something in it is wrong; the message names the
            file, the camera and the key, and never shows a URI's password.
    """
    return parse_cameras(read_text(path), name=str(path), may_be_empty=may_be_empty)


def parse_cameras(text: str, name: str = "cameras", *, may_be_empty: bool = False) -> CameraFile:
    """Check the text of a camera file.

    >>> file = parse_cameras("cameras: [{id: a40, uri: 'rtsp://u:p@10.0.0.7/a40'}]")
    >>> file.cameras[0].id, str(file.cameras[0].uri)
    ('a40', 'rtsp://***@10.0.0.7/a40')

    Args:
        text: YAML.
        name: Stands for the file in messages.
        may_be_empty: As `load_cameras`.

    Raises:
        ConfigError: As `load_cameras`.
    """
    faults: list[str] = []
    raw = read_yaml(text, name, faults)
    if not isinstance(raw, dict):
        raise ConfigError(f"{name}: must be a mapping with the key 'cameras'")
    return check_camera_file(raw, name, faults, may_be_empty=may_be_empty)


def check_camera_file(
    raw: Mapping[str, Any], name: str = "cameras", faults: Sequence[str] = (), *, may_be_empty: bool = False
) -> CameraFile:
    """Check what a camera file says, with all mistakes at once.

    Args:
        raw: The file as a mapping.
        name: Stands for the file in messages.
        faults: Mistakes that were found before.
        may_be_empty: As `load_cameras`.

    Raises:
        ConfigError: As `load_cameras`.
    """
    faults = list(faults)
    file: CameraFile | None = None
    try:
        file = CameraFile.model_validate(raw)
    except ValidationError as error:
        faults += sentences(error, raw, CameraFile, Camera)
    if file is not None and not file.cameras and not may_be_empty:
        faults.append("cameras: has 0 values, and needs 1")
    faults += twice(raw) + _bad_settings(raw if file is None else {"settings": file.settings})
    if file is None or faults:
        # Outside of `except`: the vendor's message shows the input, which may hold a password.
        raise refusal(faults, name)
    return file


def parse_camera(document: Mapping[str, Any]) -> Camera:
    """Check one camera, as a form or the ledger has it.

    >>> parse_camera({"id": "a40", "uri": "rtsp:///cam1"})
    Traceback (most recent call last):
    ...
    streetloop.errors.FieldsInvalid: camera 'a40': uri: names no host

    Raises:
        FieldsInvalid: Something is wrong; the message never shows a URI's password.
    """
    raw = {"cameras": [dict(document)]}
    try:
        return CameraFile.model_validate(raw).cameras[0]
    except ValidationError as error:
        faults, by_key = sentences(error, raw, CameraFile, Camera), faults_by_key(error, Camera)
    # Whoever has one camera before them has not numbered it.
    raise refusal_of_one(
        [fault.removeprefix("camera number 1: ") for fault in faults], by_key
    )  # outside of `except`: as `parse_cameras`


def camera_document(camera: Camera) -> dict[str, Any]:
    """A camera as the camera file has it; holds the password of its stream, if there is one."""
    plain = camera.model_dump(mode="json", exclude={"uri"}, exclude_defaults=True)
    return {**plain, "uri": camera.uri.reveal()}


def refuse_uncountable(
    cameras: Sequence[Camera], classes: Mapping[str, Sequence[str]] | None, model_names: Sequence[str]
) -> None:
    """Refuse classes that the model of the cameras does not have, and classes under two names.

    Args:
        cameras: The cameras; they and their lines may have classes of their own.
        classes: Those of the settings.
        model_names: The model's class names.

    Raises:
        ConfigError: A class is unknown or claimed twice; the message has a line for each, which
            names the place.
    """
    faults = class_faults("setting 'classes'", model_names, classes)
    for camera in cameras:
        faults += class_faults(f"camera {camera.id!r}", model_names, camera.classes)
        for name, line in camera.lines.items():
            faults += class_faults(f"camera {camera.id!r}: line {name!r}", model_names, line.classes)
    if faults:
        raise refusal(faults)


def asked_classes(
    camera: Camera, classes: Mapping[str, Sequence[str]] | None, model_names: Sequence[str]
) -> tuple[str, ...]:
    """The model's classes that a camera and its lines count; empty if those are all.

    Args:
        camera: The camera; it and its lines may have classes of their own.
        classes: Those of the settings.
        model_names: The model's class names.
    """
    groups = camera.classes if camera.classes is not None else classes
    if groups is None:
        return ()
    every = [groups, *(line.classes for line in camera.lines.values() if line.classes)]
    counted = {member for group in every for members in group.values() for member in members}
    return tuple(name for name in model_names if name in counted)


def _is_setting(key: object) -> bool:
    return key in Settings.model_fields and key not in _OF_THE_ENVIRONMENT


def _unknown_setting(key: str) -> str:
    if key in _OF_THE_ENVIRONMENT:
        return f"unknown setting {key!r}; it is given as STREETLOOP_{key.upper()} alone"
    near = get_close_matches(key, Settings.model_fields, n=1)
    return f"unknown setting {key!r}; {f'do you mean {near[0]!r}?' if near else 'see docs/settings.md'}"


def _bad_settings(raw: Mapping[Any, Any]) -> list[str]:
    """A sentence for each known setting of the file whose value is wrong."""
    values = raw.get("settings")
    known = (
        {key: value for key, value in values.items() if _is_setting(key)} if isinstance(values, dict) else {}
    )
    try:
        Settings(**known)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        return [
            f"setting {'.'.join(str(part) for part in fault['loc'])!r}: {plain(fault['msg'])}"
            for fault in faults
            if str(fault["loc"][0]) in known
        ]
    except SettingsError:
        pass  # of the environment; reading the settings reports it
    return []
