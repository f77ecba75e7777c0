"""Cameras, and what crossed their lines."""

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from drift.monitor import end_all
from flows.service.camera_trial import try_camera
from flows.service.line_counts import line_counts
from flows.service.parts.state import ServiceState
from flows.service.views import camera_view
from flows.stream.sources.registry import refuse_bad_source
from streetloop.cameras.camera_faults import refusal
from streetloop.cameras.camera_file import Camera, camera_document, check_camera_file, parse_camera
from streetloop.cameras.camera_list import ListFormat, read_camera_list
from streetloop.cameras.camera_set import merged
from streetloop.clock import SystemClock
from streetloop.control.history.camera_import import CameraImportView
from streetloop.control.history.camera_trial import CameraTrialView
from streetloop.control.history.count_view import CountView
from streetloop.control.views import CameraView
from streetloop.errors import ChangedMeanwhile, ConfigError, FieldsInvalid, NotFound
from streetloop.ledger.cameras import change_camera, change_cameras, newest_changes

UNDO_S = 600.0
"""How long a removed camera can be restored, in seconds."""

_MAX_REMOVED = 200


class CameraService(ServiceState):
    """See `streetloop.control.port.Control`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._changing_camera = threading.Lock()
        self._removed: dict[str, tuple[float, Camera]] = {}

    def cameras(self) -> list[CameraView]:
        """See `Control.cameras`."""
        running = {view.id: view for view in self._live()}
        return [running.get(c.id) or camera_view(c) for c in self._cameras()]

    def camera(self, camera_id: str) -> CameraView:
        """See `Control.camera`."""
        for view in self.cameras():
            if view.id == camera_id:
                return view
        raise NotFound(f"there is no camera {camera_id[:64]!r}")

    def put_camera(
        self, document: Mapping[str, Any], author: str, *, new: bool, seen: str | None = None
    ) -> CameraView:
        """See `Control.put_camera`."""
        with self._changing_camera:
            if seen is not None:
                self._refuse_changed(str(document.get("id")), seen)
            return self._put_camera(document, author, new=new)

    def _refuse_changed(self, camera_id: str, seen: str) -> None:
        known = {c.id: c for c in self._cameras()}
        if camera_view(self._require(camera_id, known)).revision == seen:
            return
        last = next((one for one in newest_changes(self._ledger) if one.camera_id == camera_id), None)
        by = "" if last is None else f" by {last.author} at {last.at.astimezone(self.zone):%H:%M:%S}"
        raise ChangedMeanwhile(
            f"camera {camera_id!r} was changed meanwhile{by}; load it again, and change that"
        )

    def _put_camera(self, document: Mapping[str, Any], author: str, *, new: bool) -> CameraView:
        known = {c.id: c for c in self._cameras()}
        camera = parse_camera(_with_password(document, known))
        if new and camera.id.lower() in {name.lower() for name in known}:
            why = "is there already; ids must differ"
            raise FieldsInvalid(f"camera {camera.id!r} {why}", {"id": why})
        if not new:
            self._require(camera.id, known)
        try:
            refuse_bad_source(camera, SystemClock(), self._settings)
        except ConfigError as error:
            why = str(error).removeprefix(f"camera {camera.id!r}: ")
            raise FieldsInvalid(str(error), {"uri": why}) from error
        written = camera_document(camera)
        change_camera(self._ledger, camera.id, written, author, datetime.now(UTC))
        return camera_view(camera)

    def import_cameras(self, text: str, form: ListFormat, name: str, author: str) -> CameraImportView:
        """See `Control.import_cameras`."""
        with self._changing_camera:
            return self._import_cameras(text, form, name, author)

    def _import_cameras(self, text: str, form: ListFormat, name: str, author: str) -> CameraImportView:
        known = {c.id: c for c in self._cameras()}
        entries = [_with_password(entry, known) for entry in read_camera_list(text, form, name)]
        if form == "csv":
            entries = [{**_before(entry, known), **entry} for entry in entries]
        cameras = check_camera_file({"cameras": entries}, name).cameras
        faults = []
        for camera in cameras:
            try:
                _refuse_twin(camera.id, known)
                refuse_bad_source(camera, SystemClock(), self._settings)
            except ConfigError as error:
                faults.append(str(error))
        if faults:
            raise refusal(faults, name)
        added = [camera.id for camera in cameras if camera.id not in known]
        changed = [c.id for c in cameras if c.id in known and c != known[c.id]]
        written = {c.id: camera_document(c) for c in cameras if c.id in {*added, *changed}}
        change_cameras(self._ledger, written, author, datetime.now(UTC))
        same = [camera.id for camera in cameras if camera.id not in written]
        return CameraImportView(added=added, changed=changed, unchanged=same)

    def try_camera(self, document: Mapping[str, Any]) -> CameraTrialView:
        """See `Control.try_camera`."""
        known = {c.id: c for c in self._cameras()}
        return try_camera(parse_camera(_with_password(document, known)), self._settings)

    def remove_camera(self, camera_id: str, author: str) -> None:
        """See `Control.remove_camera`."""
        with self._changing_camera:
            camera = self._require(camera_id, {c.id: c for c in self._cameras()})
            now = datetime.now(UTC)
            change_camera(self._ledger, camera_id, None, author, now)
            self._removed = {**self._restorable(), camera_id: (time.monotonic(), camera)}
        end_all(self._ledger, camera_id, now)

    def restore_camera(self, camera_id: str, author: str) -> CameraView:
        """See `Control.restore_camera`."""
        with self._changing_camera:
            found = self._restorable().get(camera_id)
            if found is None:
                raise NotFound(
                    f"no camera {camera_id[:64]!r} was removed here in the last {UNDO_S / 60:.0f} minutes"
                )
            view = self._put_camera(camera_document(found[1]), author, new=True)
            del self._removed[camera_id]
            return view

    def _restorable(self) -> dict[str, tuple[float, Camera]]:
        """The cameras that were removed lately; of many the newest."""
        now = time.monotonic()
        recent = [(name, one) for name, one in self._removed.items() if now - one[0] <= UNDO_S]
        return dict(recent[-_MAX_REMOVED:])

    def _cameras(self) -> list[Camera]:
        return merged(self._file, newest_changes(self._ledger))

    @staticmethod
    def _require(camera_id: str, known: Mapping[str, Camera]) -> Camera:
        if camera_id not in known:
            raise NotFound(f"there is no camera {camera_id[:64]!r}")
        return known[camera_id]

    def line_counts(
        self, camera_id: str, since: str, bin_name: str, line: str | None = None
    ) -> list[CountView]:
        """See `Control.line_counts`."""
        camera = next((c for c in self._cameras() if c.id == camera_id), None)
        now = datetime.now(UTC)
        return line_counts(self._ledger, camera_id, camera, since, bin_name, line, self.zone, now)


def _before(entry: Mapping[str, Any], known: Mapping[str, Camera]) -> dict[str, Any]:
    """The document of a camera that is there already; empty for a new one."""
    camera = known.get(str(entry.get("id")))
    return {} if camera is None else camera_document(camera)


def _refuse_twin(camera_id: str, known: Mapping[str, Camera]) -> None:
    """Refuse a new id that only its case tells from one that is there."""
    if camera_id not in known and camera_id.lower() in {name.lower() for name in known}:
        raise ConfigError(f"camera {camera_id!r} is there in another case; ids must differ")


def _with_password(document: Mapping[str, Any], known: Mapping[str, Camera]) -> Mapping[str, Any]:
    """The document with the password of an address that was sent back without it."""
    before = known.get(str(document.get("id")))
    if before is None or document.get("uri") != str(before.uri):
        return document
    return {**document, "uri": before.uri.reveal()}
