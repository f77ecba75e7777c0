"""Which cameras run: those of the camera file, with the changes of the ledger."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from streetloop.cameras.camera_file import Camera, parse_camera
from streetloop.ledger import Ledger
from streetloop.ledger.cameras import CameraChange, last_change, newest_changes


def merged(file: Iterable[Camera], changes: Iterable[CameraChange]) -> list[Camera]:
    """The cameras of the file in their order, with their changes, then those that were added.

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
    """What leads from one set of cameras to another.

    Attributes:
        removed: Ids of cameras to stop; a camera that changed is stopped, too.
        added: Cameras to start; a camera that changed is started with its new document.
    """

    removed: tuple[str, ...] = ()
    added: tuple[Camera, ...] = ()


@dataclass(frozen=True, slots=True)
class CameraSet:
    """Some cameras, in their order; a value that threads can share.

    Attributes:
        cameras: The cameras; no two have the same id.
    """

    cameras: tuple[Camera, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """The id of each camera."""
        return tuple(camera.id for camera in self.cameras)

    def __iter__(self) -> Iterator[Camera]:
        return iter(self.cameras)

    def diff(self, after: "CameraSet") -> CameraDiff:
        """What leads from these cameras to those of ``after``; their order does not count."""
        old = {camera.id: camera for camera in self}
        new = {camera.id: camera for camera in after}
        return CameraDiff(
            tuple(name for name, camera in old.items() if new.get(name) != camera),
            tuple(camera for name, camera in new.items() if old.get(name) != camera),
        )


class CameraSetWatcher:
    """The cameras of the file and of the ledger together.

    Attributes:
        current: The cameras that are to run, as of the last `poll`. Another set takes its place
            when they change; any thread may read it.

    Args:
        file: Cameras of the file.
        ledger: Holds the changes.
    """

    def __init__(self, file: Sequence[Camera], ledger: Ledger) -> None:
        self._file, self._ledger = CameraSet(tuple(file)), ledger
        self._seen = -1
        self.current = self._file

    def poll(self) -> CameraDiff:
        """What changed since the last call; mostly nothing, which costs one query.

        Raises:
            LedgerError: The ledger did not answer; the next call finds the changes.
            ConfigError: As `merged`.
        """
        newest = last_change(self._ledger)
        if newest == self._seen:
            return CameraDiff()
        before = self.current
        self.current = CameraSet(tuple(merged(self._file, newest_changes(self._ledger))))
        self._seen = newest
        return before.diff(self.current)
