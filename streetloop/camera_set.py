"""Which cameras run: those of the file, with what was changed since."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from streetloop.cameras import Camera, parse_camera
from streetloop.ledger import Ledger
from streetloop.ledger.cameras import CameraChange, last_change, newest_changes


def merged(file: Sequence[Camera], changes: Iterable[CameraChange]) -> list[Camera]:
    """The cameras of the file in their order, as they were changed, then those that were added.

    Raises:
        ConfigError: A change was written by a newer version, and cannot be read.
    """
    found = {camera.id: camera for camera in file}
    for change in changes:
        if change.document is None:
            found.pop(change.camera_id, None)
        else:
            found[change.camera_id] = parse_camera(change.document)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class CameraDiff:
    """What has to be done so that other cameras run.

    Attributes:
        gone: Ids of cameras that are to stop; one that was changed stops, too.
        come: Cameras that are to start.
    """

    gone: list[str]
    come: list[Camera]


def difference(before: Sequence[Camera], after: Sequence[Camera]) -> CameraDiff:
    """From some cameras to others."""
    old = {camera.id: camera for camera in before}
    new = {camera.id: camera for camera in after}
    return CameraDiff(
        [name for name, camera in old.items() if new.get(name) != camera],
        [camera for name, camera in new.items() if old.get(name) != camera],
    )


class CameraSetWatcher:
    """The cameras of the file and of the ledger together.

    Attributes:
        cameras: Those that are to run; one list, whose content changes with every look.

    Args:
        file: Cameras of the file.
        ledger: Where changes are.
    """

    def __init__(self, file: Sequence[Camera], ledger: Ledger) -> None:
        self._file, self._ledger = file, ledger
        self._seen = -1
        self.cameras: list[Camera] = list(file)

    def look(self) -> CameraDiff:
        """What has changed since the last look; nothing, mostly.

        Raises:
            LedgerError: The ledger did not answer.
            ConfigError: As `merged`.
        """
        newest = last_change(self._ledger)
        if newest == self._seen:
            return CameraDiff([], [])
        before = list(self.cameras)
        self.cameras[:] = merged(self._file, newest_changes(self._ledger))
        self._seen = newest
        return difference(before, self.cameras)
