"""``streetloop serve``: the detector behind HTTP."""

import socket
import threading
from collections.abc import Callable

from flows.cluster import local_ray
from flows.signals import stop_on_signals
from serve.access import refuse_open_door
from streetloop.errors import ConfigError
from streetloop.settings import Settings
from train.model import open_model


def serve_api(
    settings: Settings,
    host: str,
    port: int,
    say: Callable[[str], None],
    until: Callable[[threading.Event], object] = threading.Event.wait,
) -> None:
    """Serve the API on ``host`` and ``port`` until the process is told to stop.

    Args:
        settings: As given at the roof.
        host: Address to listen on; a wider one than loopback needs a token.
        port: TCP port.
        say: Called with what is being done.
        until: Blocks while the API is served; gets the event that a signal sets.

    Raises:
        ConfigError: The address is wider than loopback and there is no token, or is taken.
        ModelError: The model cannot be used.
        DetectorError: The detector did not start.
    """
    refuse_open_door(host, has_token=settings.api_token is not None)
    refuse_taken_port(host, port)
    say(f"opening the model {settings.model}")
    model = open_model(settings.model, settings.models)
    say("starting Ray on this machine")
    with local_ray(http_port=port):
        import ray.serve

        from serve.detector import deploy
        from serve.http import http_detector

        ray.serve.start(proxy_location="Disabled", http_options={"host": host})
        say(f"loading {model.version}")
        kind = http_detector(settings, model.names)
        # The replica answers before this process hears of it; a signal may come in between.
        with stop_on_signals() as stop:
            deploy(model, settings, kind=kind, route_prefix="/")
            say(f"serving {model.version} on http://{host}:{port} (pages: /docs)")
            until(stop)


def refuse_bad_address(settings: Settings) -> None:
    """Look whether the app may and can listen where it is to.

    Raises:
        ConfigError: The address is wider than loopback and there is no token, or it is taken.
    """
    refuse_open_door(settings.app_host, has_token=settings.api_token is not None)
    refuse_taken_port(settings.app_host, settings.app_port)


def refuse_taken_port(host: str, port: int) -> None:
    """Look whether somebody listens there already.

    Raises:
        ConfigError: So it is.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigError(f"cannot listen on {host}:{port}: {error.strerror}") from error
