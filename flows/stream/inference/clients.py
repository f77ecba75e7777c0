"""The detector clients of a pipeline, one an application."""

from collections.abc import Callable

from serve.detector.client import DetectorClient, Pending
from streetloop.errors import DetectorError
from streetloop.types import Image


class ClientPool:
    """Opens the client of an application at its first use, and keeps it until it is released.

    Args:
        open_client: Opens the client of an application by name; raises `DetectorError` if there is
            no such application.
    """

    def __init__(self, open_client: Callable[[str], DetectorClient]) -> None:
        self._open = open_client
        self._clients: dict[str, DetectorClient] = {}

    def get(self, application: str) -> DetectorClient:
        """The client of an application.

        For an application that is absent: one that fails every batch. The next call tries again.
        """
        found = self._clients.get(application)
        if found is None:
            try:
                found = self._clients[application] = self._open(application)
            except DetectorError as error:
                return _AbsentClient(error)
        return found

    def release(self, application: str) -> None:
        """Open a new client at the next use: another application may have that name then."""
        self._clients.pop(application, None)


class _AbsentClient:
    """A `DetectorClient` of an application that does not exist."""

    def __init__(self, error: DetectorError) -> None:
        self._error = error

    def submit(self, images: Image) -> Pending:  # noqa: ARG002 - as `DetectorClient` has it
        raise self._error
