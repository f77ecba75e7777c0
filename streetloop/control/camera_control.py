"""Cameras, and what crossed their lines."""

from collections.abc import Mapping
from typing import Any, Protocol

from streetloop.cameras.camera_list import ListFormat
from streetloop.control import views
from streetloop.control.history.camera_import import CameraImportView
from streetloop.control.history.camera_trial import CameraTrialView
from streetloop.control.history.count_view import CountView


class CameraControl(Protocol):
    """A part of `streetloop.control.port.Control`, which says what all its calls have in common."""

    def cameras(self) -> list[views.CameraView]:
        """Every camera, in the order of the camera file; cameras that were added come last."""

    def camera(self, camera_id: str) -> views.CameraView:
        """One camera.

        Raises:
            NotFound: There is no such camera.
        """

    def put_camera(
        self, document: Mapping[str, Any], author: str, *, new: bool, seen: str | None = None
    ) -> views.CameraView:
        """Add a camera, or change one; running streams take it up within seconds.

        Args:
            document: The camera as the camera file has it. An address that came without its
                password keeps the password.
            author: Who asks.
            new: True to add, False to change.
            seen: The revision that the change began from; None to change whatever is there.

        Raises:
            ChangedMeanwhile: Its revision is another one now.
            FieldsInvalid: The document is wrong, or ``new`` and the id is taken.
            NotFound: Not ``new``, and there is no such camera.
        """

    def import_cameras(self, text: str, form: ListFormat, name: str, author: str) -> CameraImportView:
        """Add the cameras of a list, and change those that are there: all of them, or none.

        A table changes what it has columns for; a camera of a YAML list is as the list has it.

        Args:
            text: See `streetloop.cameras.camera_list.read_camera_list`.
            form: Its format.
            name: Of the list, for messages.
            author: Who asks.

        Raises:
            ConfigError: Something in it is wrong; the message has a line a mistake.
        """

    def try_camera(self, document: Mapping[str, Any]) -> CameraTrialView:
        """Open a camera that is perhaps not saved yet, and take its first picture; takes seconds.

        Args:
            document: See `put_camera`.

        Raises:
            FieldsInvalid: The document is wrong.
        """

    def remove_camera(self, camera_id: str, author: str) -> None:
        """Remove a camera; its recordings stay.

        Raises:
            NotFound: There is no such camera.
        """

    def restore_camera(self, camera_id: str, author: str) -> views.CameraView:
        """Add a camera again as it was when `remove_camera` removed it, with its password.

        It is remembered in the memory of the process that removed it, for ten minutes.

        Raises:
            NotFound: No such camera was removed there lately.
            ConfigError: The id is taken again, or the camera can no longer be opened.
        """

    def line_counts(
        self, camera_id: str, since: str, bin_name: str, line: str | None = None
    ) -> list[CountView]:
        """Crossings of a camera's lines by bin, direction and class, in order of time.

        Every bin has a row for each direction of each line, and each class that crossed the line in
        the period; a line that nothing crossed has rows without a class.

        Args:
            camera_id: The camera; also one that was removed.
            since: An ISO 8601 date or time, of the settings' time zone if it has no offset, or a
                duration such as ``2h``. The bin that holds it is the first.
            bin_name: One of `streetloop.local_time.BINS`.
            line: Only this line; None for all.

        Raises:
            ConfigError: The time, the bin or the line is wrong, or the camera has no lines.
            NotFound: There is no such camera, and there never was one with counts.
        """
