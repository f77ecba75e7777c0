"""``streetloop serve``: the detector behind HTTP."""

import os
import threading
from collections.abc import Callable

from flows.runtime.cluster.end_guard import guarded_end
from flows.runtime.cluster.ray_life import RayLife
from flows.runtime.cluster.ray_processes import kill_marked
from flows.runtime.ray_cluster import local_ray, refuse_bad_temporary_folder
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
) -> str | None:
    """Serve the API on ``host`` and ``port`` until the process is told to stop.

    Args:
        settings: The settings of the run.
        host: Address to listen on; a wider one than loopback needs a token.
        port: TCP port.
        say: Called with a sentence for people at each step.
        until: Blocks while the API is served; gets the event that a signal, or the death of Ray,
            sets.

    Returns:
        A sentence if Ray died; None if the process was told to stop.

    Raises:
        ConfigError: The address is wider than loopback and there is no token, or is taken, or the
            home cannot be written.
        ModelError: The model cannot be used.
        DetectorError: The detector did not start.
    """
    refuse_open_door(host, settings)
    refuse_taken_port(host, port)
    require_home(settings.home)
    model = open_model(settings.model, settings.models)
    refuse_bad_temporary_folder(os.environ)
    say("starting Ray on this machine")
    with guarded_end(kill_marked) as guard, local_ray(http_port=port, patience_s=guard.patience_s):
        import ray.serve

        from serve.detector.deployment import deploy
        from serve.web.single_replica import http_detector

        ray.serve.start(proxy_location="Disabled", http_options={"host": host})
        say(f"loading {model.version}")
        kind = http_detector(settings, model.names)
        life = RayLife(guard, "nothing answers any more")
        life.watch.start()
        # The replica answers before this process hears of it; a signal may come in between.
        with stop_on_signals() as stop:
            life.on_death(stop.set)
            deploy(model, settings, kind=kind, route_prefix="/")
            say(f"serving {model.version} on http://{host}:{port} (pages: /docs)")
            until(stop)
            life.watch.look()
        life.watch.close()
    return life.death
