"""The API and the app over a control service that runs no streams, in a thread."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from serve.web.access.roles import Guard
from serve.web.api.create import create_api
from serve.web.app.page import mount_page
from tests.support.control_service import Content, Screens, guard_of, see_a_car
from tests.support.servers.ports import free_port
from tests.support.stream_flow.fakes import eventually


class AppServer:
    """The app over a home.

    Attributes:
        content: The home, and its control service.
        host: Where it listens, with its port.
    """

    def __init__(self, content: Content, screens: Screens | None = None, guard: Guard | None = None) -> None:
        self.content, self.host = content, f"127.0.0.1:{free_port()}"
        self._guard, self._screens = guard or guard_of(None), screens or Screens()
        self.start()

    def start(self) -> None:
        """Begin to listen, once more after `close`, at the same port."""
        service = self.content.service
        api = create_api(see_a_car, (), 0.25, self._guard, service, self._screens)
        port = int(self.host.rpartition(":")[2])
        mounted = mount_page(api, service, self._guard)
        # What is open at the end is cut: Gradio keeps a stream to each page for ever.
        config = uvicorn.Config(mounted, port=port, log_level="critical", timeout_graceful_shutdown=2)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        eventually(lambda: self._server.started)

    def close(self) -> None:
        """Stop; open connections are cut."""
        self._server.should_exit = True
        self._thread.join(60)


@contextmanager
def app_server(content: Content, screens: Screens | None = None) -> Iterator[AppServer]:
    """A server that is closed at the end."""
    server = AppServer(content, screens)
    try:
        yield server
    finally:
        server.close()
