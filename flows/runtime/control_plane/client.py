"""Starts a session in an actor of a Ray that runs already, watches it, and ends it."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import ray
from ray.exceptions import RayError

from flows.runtime.cluster.join import (
    DETACHED,
    joined_ray,
    refuse_attached,
    refuse_detached,
    serve_left_as_found,
)
from flows.runtime.cluster.ray_address import RayAddress
from flows.runtime.control_plane.actor import ControlLook, ControlPlane, ControlSpec, ControlState
from flows.runtime.control_plane.adoption import running_workers
from flows.runtime.run_values import RunOptions, RunSummary
from flows.runtime.session_start import (
    HeldSentences,
    open_serving_model,
    prepare_nodes,
    refuse_what_cannot_run,
    run_name,
    with_app_of,
)
from flows.stream.analysis.status import CameraStatus
from serve.detector.deployment import cause_of
from streetloop.cameras.camera_file import Camera, refuse_uncountable
from streetloop.errors import ClusterError, NotFound, ProcessDied
from streetloop.settings import Settings
from train.ray_placement import NAMESPACE, is_spread, on_this_node

_LOOK_S = 0.5
_ANSWER_S = 10.0
_AWAY_S = 60.0
_LEAVE_S = 30.0
_END_S = 150.0

Say = Callable[[str], None]
Show = Callable[[Mapping[str, CameraStatus]], None]


def start_detached(
    found: RayAddress, cameras: Sequence[Camera], settings: Settings, options: RunOptions, say: Say
) -> None:
    """Start a session in an actor, and return once all cameras are being read.

    Args:
        found: The Ray, from `find_lasting_ray`, which comes before this module is imported.
        cameras: Cameras of the camera file.
        settings: The settings of the run.
        options: What the run is asked for.
        say: Called with what is being done.

    Raises:
        ConfigError: Another session runs on the Ray or in the home, or something of the input
            cannot be used.
        StreetloopError: The session did not start.
    """
    options, held = with_app_of(settings, options), HeldSentences(say)
    settings = settings.model_copy(update={"home": settings.home.absolute()})
    refuse_what_cannot_run(cameras, settings, options)
    with _joined(found):
        refuse_detached()
        refuse_attached()
        model = open_serving_model(cameras, settings, held)
        refuse_uncountable(cameras, settings.classes, model.names)
        prepare_nodes(settings, cameras, held)
        held.release()
        control = _start(ControlSpec(list(cameras), settings, options, run_name(), time.time()))
        try:
            look = _watch(control, say, lambda _: None, lambda look: look.state is not ControlState.STARTING)
            _result(look)
        except BaseException:  # Ctrl-C, too: nobody has said yet that it runs
            _remove(control)
            raise


def attach(found: RayAddress, say: Say, show: Show, left: threading.Event) -> RunSummary | None:
    """Watch a detached session until it ends, or the watcher leaves.

    Args:
        found: As of `start_detached`.
        say: Called with what the session says, from its beginning.
        show: Called twice a second with the state of the cameras.
        left: Ends the watching; the session goes on.

    Returns:
        What the run came to, if it has ended.

    Raises:
        NotFound: No detached session runs there.
        StreetloopError: The session could not run.
    """
    with _joined(found):
        look = _watch(
            _control(), say, show, lambda look: left.is_set() or look.state is ControlState.ENDED, left
        )
        return _result(look)


def end_detached(found: RayAddress, say: Say) -> RunSummary | None:
    """End a detached session, and remove all that it started.

    Args:
        found: As of `start_detached`.
        say: Called with what is being done.

    Returns:
        What the run came to; None if it did not end in order.

    Raises:
        NotFound: No detached session runs there.
        StreetloopError: The session could not run.
    """
    with _joined(found):
        control = _control()
        say("stopping the cameras")
        end = time.monotonic() + _END_S
        try:
            _watch(control, lambda _: None, lambda _: None, lambda _: True)
            ray.get(control.stop.remote(), timeout=_ANSWER_S)
            look = _watch(
                control,
                lambda _: None,
                lambda _: None,
                lambda look: look.state is ControlState.ENDED or time.monotonic() > end,
            )
        except (RayError, ProcessDied, TimeoutError) as error:
            say(f"the session does not answer, and is ended by force: {cause_of(error)}")
            look = None
        _remove(control)
        return None if look is None else _result(look)


def _joined(found: RayAddress) -> AbstractContextManager[str | None]:
    return joined_ray(found, serves=False, patience_s=lambda: _LEAVE_S)


def _start(spec: ControlSpec) -> Any:
    options: dict[str, Any] = {
        "name": DETACHED,
        "namespace": NAMESPACE,
        "lifetime": "detached",
        "max_restarts": -1,
        "max_concurrency": 4,
        "num_cpus": 0,
        "resources": {} if is_spread(spec.settings) else on_this_node(),
    }
    try:
        return ray.remote(ControlPlane).options(**options).remote(spec)
    except ValueError:  # another command was quicker
        refuse_detached()
        raise
    except RayError as error:
        raise ClusterError(f"Ray starts no process of ours: {cause_of(error)}") from error


def _control() -> Any:
    try:
        return ray.get_actor(DETACHED, NAMESPACE)
    except ValueError:
        raise NotFound(
            "no detached streetloop runs on this Ray; start one by `streetloop up CAMERAS.YAML --detach`"
        ) from None


def _watch(
    control: Any,
    say: Say,
    show: Show,
    is_enough: Callable[[ControlLook], bool],
    left: threading.Event | None = None,
) -> ControlLook:
    """Look twice a second until it is enough; a control plane that died is waited for.

    Raises:
        ProcessDied: It did not come back.
    """
    process, heard, tick = 0, 0, left or threading.Event()
    seen = time.monotonic()
    while True:
        try:
            look: ControlLook = ray.get(control.look.remote(process, heard), timeout=_ANSWER_S)
        except (RayError, TimeoutError) as error:
            if time.monotonic() > seen + _AWAY_S:
                raise ProcessDied(f"the control plane does not come back: {cause_of(error)}") from error
        else:
            if process not in {0, look.process}:
                say("the control plane died, and was started again")
            process, heard, seen = look.process, look.heard, time.monotonic()
            for sentence in look.said:
                say(sentence)
            show(look.statuses)
            if is_enough(look):
                return look
        if tick.wait(_LOOK_S):
            tick = threading.Event()  # asked to leave: one look more


def _result(look: ControlLook) -> RunSummary | None:
    if look.failure is not None:
        raise look.failure
    return look.summary


def _remove(control: Any) -> None:
    """End what is left: the control plane, its workers, and its applications."""
    ray.kill(control)
    for worker in running_workers():
        ray.kill(worker)
    with serve_left_as_found():  # begins by removing
        pass
