"""Which Ray a command uses: one of its own, or one that runs already."""

import os
import platform
import re
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from streetloop.errors import ConfigError

AUTO = "auto"
_HOST_AND_PORT = re.compile(r"(?P<host>[\w.-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>\d{1,5})")
_IN_JOB = "RAY_JOB_CONFIG_JSON_ENV_VAR"  # set by Ray for the command of a submitted job


@dataclass(frozen=True, slots=True)
class RayAddress:
    """A Ray that runs already, and answers.

    Attributes:
        text: ``HOST:PORT`` of its head.
        token: What it asks for; None if it asks for nothing.
    """

    text: str
    token: str | None = field(default=None, repr=False)


def find_ray(
    address: str | None, environ: MutableMapping[str, str], say: Callable[[str], None]
) -> RayAddress | None:
    """Find the Ray that a command is to join, and ask it who it is.

    Ray reads how to join from its environment when it is first imported, and PyTorch's tools import
    it by themselves: call this before a model is opened.

    Args:
        address: ``HOST:PORT``, ``auto`` for the Ray of this machine or job, or None: a command of
            a submitted job joins the Ray of the job then, and any other starts a Ray of its own.
        environ: The environment of the process; gets what Ray reads of a Ray that is joined, and
            loses a RAY_ADDRESS that is not used.
        say: Called with a sentence if RAY_ADDRESS names another Ray than the one that is used.

    Returns:
        The Ray to join; None to start one.

    Raises:
        ConfigError: No Ray is there, it asks for a token that is not known, or it runs another
            version of Ray or Python.
    """
    named = environ.get("RAY_ADDRESS")
    if address is None and named and _IN_JOB in environ:
        address = named
    if address is None:
        if named:
            say(f"RAY_ADDRESS={named} is not used: give --address auto to join that Ray")
            del environ["RAY_ADDRESS"]  # the processes of our own Ray would inherit it
        return None
    is_named = address is named or (address == AUTO and named not in {None, "", AUTO})
    text = _of_this_machine(environ) if address == AUTO else address
    who = f"{'RAY_ADDRESS=' if is_named else '--address '}{text}"
    _check(text, who)
    found = _ask(text, who, environ)
    if named and named not in {text, AUTO}:
        say(f"joining the Ray at {text}, not RAY_ADDRESS={named}")
    _tell_ray(found, environ)
    return found


def find_lasting_ray(
    address: str | None, environ: MutableMapping[str, str], say: Callable[[str], None]
) -> RayAddress:
    """Find the Ray that a detached session is to live in, or lives in; as `find_ray`.

    Raises:
        ConfigError: As `find_ray`, or no Ray is named.
    """
    found = find_ray(address, environ, say)
    if found is None:
        raise ConfigError(
            "a detached session lives in a Ray that outlives this command: start one by `ray start --head "
            "--port=6379`, and give --address auto"
        )
    return found


def require_ray(address: str | None, environ: Mapping[str, str]) -> None:
    """Refuse early, before what takes seconds to import, an address where no Ray can be joined.

    Args:
        address: As of `find_ray`.
        environ: The environment of the process; it is not changed.

    Raises:
        ConfigError: As `find_ray`.
    """
    find_ray(address, dict(environ), lambda _: None)


def _tell_ray(found: RayAddress, environ: MutableMapping[str, str]) -> None:
    environ["RAY_AUTH_MODE"] = "disabled" if found.token is None else "token"
    if found.token is not None:
        environ["RAY_AUTH_TOKEN"] = found.token
    environ["RAY_ENABLE_AUTO_CONNECT"] = "0"
    environ.setdefault("RAY_SERVE_LOG_TO_STDERR", "0")


def _of_this_machine(environ: Mapping[str, str]) -> str:
    """What RAY_ADDRESS says, or where ``ray start`` noted its address."""
    named = environ.get("RAY_ADDRESS")
    if named and named != AUTO:
        return named
    folder = environ.get("RAY_TMPDIR") or environ.get("TMPDIR") or "/tmp"
    note = Path(folder) / "ray" / "ray_current_cluster"
    try:
        return note.read_text().strip()
    except OSError:
        raise ConfigError(
            "--address auto: `ray start` has started no Ray on this machine; start one, or name HOST:PORT"
        ) from None


def _check(text: str, who: str) -> None:
    found = _HOST_AND_PORT.fullmatch(text)
    if found is None or not 0 < int(found["port"]) < 65536:
        hint = "ray:// is not used: run on a node of the cluster, or `ray job submit`"
        raise ConfigError(f"{who}: {hint if '://' in text else 'write HOST:PORT or auto'}")


def _ask(text: str, who: str, environ: Mapping[str, str]) -> RayAddress:
    quiet_grpc()
    from flows.runtime.cluster.gcs_probe import NoRay, TokenRefused, ask_ray

    token: str | None = None
    try:
        try:
            found = ask_ray(text, None)
        except TokenRefused:
            token = known_token(environ)
            if token is None:
                raise
            found = ask_ray(text, token)
    except NoRay:
        raise ConfigError(
            f"{who}: no Ray answers there; start one by `ray start --head --port=6379`, "
            "or leave --address out"
        ) from None
    except TokenRefused:
        what = "that of this user is another one" if token else "there is none"
        raise ConfigError(
            f"{who}: that Ray asks for a token, and {what}; "
            "set RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH to that of the cluster"
        ) from None
    _refuse_other_versions(who, found.ray, found.python)
    return RayAddress(text, token)


def _refuse_other_versions(who: str, ray: str, python: str | None) -> None:
    here = {"Ray": version("ray"), "Python": platform.python_version()}
    for name, there in (("Ray", ray), ("Python", python)):
        if there is not None and there != here[name]:
            raise ConfigError(
                f"{who}: that Ray runs {name} {there}, and this command {here[name]}; "
                "install the same version on both"
            )


def known_token(environ: Mapping[str, str]) -> str | None:
    """The token of this user for Ray, from where Ray itself looks; None if there is none."""
    if token := environ.get("RAY_AUTH_TOKEN"):
        return token.strip()
    path = environ.get("RAY_AUTH_TOKEN_PATH")
    try:
        return (Path(path) if path else Path.home() / ".ray" / "auth_token").read_text().strip() or None
    except OSError:
        return None


def quiet_grpc() -> None:
    """Keep gRPC from telling every fork on the terminal that it does nothing about it."""
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
