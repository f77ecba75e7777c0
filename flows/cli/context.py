"""What commands share: the settings, the control service, the user, and the policy option."""

import getpass
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

if TYPE_CHECKING:
    from flows.service.control_service import ControlService
    from serve.rollout.policy import Policy
    from streetloop.cameras.camera_file import Camera
    from streetloop.settings import Settings

PolicyFile = Annotated[
    Path | None,
    typer.Option("--policy", metavar="FILE", help="YAML file with changes to the default rollout policy."),
]


def settings_of(context: typer.Context, **changes: Any) -> "Settings":
    """The settings of this call.

    Args:
        context: Of the command.
        changes: Values of flags or of the camera file, which override the environment; None
            changes nothing.

    Raises:
        ConfigError: A value is wrong.
    """
    from streetloop.settings import change_settings, read_settings

    if context.obj is None:
        context.obj = read_settings()
    return change_settings(cast("Settings", context.obj), **changes) if changes else context.obj


def control_of(
    context: typer.Context,
    cameras: "Sequence[Camera]" = (),
    policy: "Policy | None" = None,
    tell: Callable[[str], None] = lambda _: None,
    **changes: Any,
) -> "ControlService":
    """The control service of this call; see `ControlService` for the arguments.

    Raises:
        ConfigError: A value of ``changes``, see `settings_of`, is wrong, or the home cannot be
            written.
    """
    from flows.service.control_service import ControlService
    from streetloop.host.home import require_home

    default_model, settings = settings_of(context).model, settings_of(context, **changes)
    require_home(settings.home)
    return ControlService(settings, cameras, policy, tell=tell, default_model=default_model)


def cameras_of(file: Path | None) -> "Sequence[Camera]":
    """The cameras of a camera file; none without a file.

    Raises:
        ConfigError: The file cannot be used.
    """
    from streetloop.cameras.camera_file import load_cameras

    return () if file is None else load_cameras(file, may_be_empty=True).cameras


def settings_in(file: Path | None) -> "dict[str, Any]":
    """The settings of a camera file; none without a file.

    Raises:
        ConfigError: The file cannot be used.
    """
    from streetloop.cameras.camera_file import load_cameras

    return {} if file is None else load_cameras(file, may_be_empty=True).settings


def current_user() -> str:
    """The user's name as the system knows it; ``somebody`` if it knows none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
