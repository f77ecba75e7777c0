"""``streetloop serve``: the detector behind HTTP."""

import threading
from collections.abc import Callable

from flows.runtime.ray_cluster import local_ray
from flows.runtime.signals import stop_on_signals
from serve.web.access.addresses import refuse_open_door, refuse_taken_port
from streetloop.host.home import require_home
from streetloop.settings import Settings
from train.model.model_file import open_model


def serve_api(
    settings: Settings,
    host: str,
    port: int,
    say: Callable[[str], None],
    until: Callable[[threading.Event], object] = threading.Event.wait,
) -> None:
    """Serve the API on ``host`` and ``port`` until the process is told to stop.

    Args:
        settings: The settings of the run.
        host: Address to listen on; a wider one than loopback needs a token.
        port: TCP port.
        say: Called with a sentence for people at each step.
        until: Blocks while the API is served; gets the event that a signal sets.

    Raises:
        ConfigError: The address is wider than loopback and there is no token, or is taken, or the
            home cannot be written.
        ModelError: The model cannot be used.
        DetectorError: The detector did not start.
    """
    refuse_open_door(host, settings)
    refuse_taken_port(host, port)
    require_home(settings.home)
    say(f"opening the model {settings.model}")
    model = open_model(settings.model, settings.models)
    say("starting Ray on this machine")
    with local_ray(http_port=port):
        import ray.serve

        from serve.detector.deployment import deploy
        from serve.web.single_replica import http_detector

        ray.serve.start(proxy_location="Disabled", http_options={"host": host})
        say(f"loading {model.version}")
        kind = http_detector(settings, model.names)
        # The replica answers before this process hears of it; a signal may come in between.
        with stop_on_signals() as stop:
            deploy(model, settings, kind=kind, route_prefix="/")
            say(f"serving {model.version} on http://{host}:{port} (pages: /docs)")
            until(stop)
