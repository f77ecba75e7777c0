"""The name of a frame: what its logs, its events and its label have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_PARTS = 3


@dataclass(frozen=True, slots=True)
class FrameName:
    """Which frame of which run, as the frame log and the detection log have it.

    >>> str(FrameName("20260301T120000Z-1f2e3d", "a40", 512))
    '20260301T120000Z-1f2e3d/a40/512'

    Attributes:
        run: Name of the run.
        camera_id: Its camera.
        frame_id: Its number, see `streetloop.types.Frame`.
    """

    run: str
    camera_id: str
    frame_id: int

    def __str__(self) -> str:
        return f"{self.run}/{self.camera_id}/{self.frame_id}"

    def as_json(self) -> dict[str, Any]:
        """What a record of the camera's keeps of it."""
        return {"run": self.run, "frame_id": self.frame_id}


def parse_frame_name(text: str) -> FrameName | None:
    """The frame of a name; None if it is no name of a frame.

    >>> parse_frame_name("20260301T120000Z-1f2e3d/a40/512").frame_id
    512
    >>> parse_frame_name("a40/512")
    """
    parts = text.split("/")
    if len(parts) != _PARTS or not all(parts) or not (parts[2].isascii() and parts[2].isdigit()):
        return None
    return FrameName(parts[0], parts[1], int(parts[2]))


def frame_name_of(camera_id: str | None, record: Mapping[str, Any]) -> FrameName | None:
    """The frame that a record is of; None if it does not say.

    Args:
        camera_id: The camera of the record.
        record: What `FrameName.as_json` gave, among others.
    """
    run, number = record.get("run"), record.get("frame_id")
    if camera_id is None or not isinstance(run, str) or not isinstance(number, int):
        return None
    return FrameName(run, camera_id, number)
