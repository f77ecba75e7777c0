"""The checks of hosts that `ray up` is to start Ray on, over SSH, before it does."""

import platform
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import yaml

from flows.runtime.doctor.node_checks import NodeCheck
from streetloop.errors import ConfigError
from streetloop.host.paths import is_file

_CONNECT_S, _ANSWER_S = 5, 30.0
_OF_EXAMPLES = ip_network("192.0.2.0/24")  # RFC 5737: addresses of documents, which nobody has
_LOOK = """bash --login -c '
echo python=$(python3 -c "import platform; print(platform.python_version())" 2>/dev/null)
echo rsync=$(command -v rsync)
case ":$PATH:" in *":$HOME/streetloop-venv/bin:"*) echo path=yes;; esac
'"""
_NO_HOST_KEYS = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null")  # as Ray does


@dataclass(frozen=True, slots=True)
class SshCluster:
    """How the hosts of a cluster file are reached.

    Attributes:
        hosts: The head, and then the others.
        user: Who logs in.
        key: Private key; None for that of the agent.
        proxy: Command that connects to SSH, or None.
    """

    hosts: tuple[str, ...]
    user: str
    key: Path | None
    proxy: str | None


def read_ssh_cluster(path: Path) -> SshCluster:
    """Read a cluster file of provider ``local``.

    Args:
        path: As `ray up` takes it.

    Raises:
        ConfigError: It cannot be read, names no hosts that exist, or its key is not there.
    """
    try:
        found = yaml.safe_load(path.read_text())
        provider, auth = dict(found["provider"]), dict(found["auth"])
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, TypeError, KeyError, ValueError) as error:
        sentence = f"{path}: is no cluster file; begin with the cluster.yaml that comes along"
        raise ConfigError(sentence) from error
    if (kind := provider.get("type")) != "local":
        raise ConfigError(f"{path}: provider {kind!r} makes its hosts itself; only `local` names some")
    return SshCluster(_hosts(path, provider), str(auth.get("ssh_user") or ""), _key(path, auth), _proxy(auth))


def check_hosts(cluster: SshCluster) -> list[NodeCheck]:
    """Log in to each host, and look whether `ray up` and `ray down` will work.

    Raises:
        ConfigError: There is no SSH client here.
    """
    if shutil.which("ssh") is None:
        raise ConfigError("ssh is not installed, and `ray up` needs it: install openssh-client")
    return [check for host in cluster.hosts for check in _of_host(cluster, host)]


def _hosts(path: Path, provider: Mapping[str, Any]) -> tuple[str, ...]:
    head, others = provider.get("head_ip"), provider.get("worker_ips") or []
    hosts = tuple(str(host) for host in [head, *others] if host)
    if not head:
        raise ConfigError(f"{path}: provider.head_ip names no host; fill it in")
    for host in hosts:
        if _is_of_example(host):
            raise ConfigError(f"{path}: {host} stands for a host; fill in yours in head_ip and worker_ips")
    return hosts


def _is_of_example(host: str) -> bool:
    try:
        return ip_address(host) in _OF_EXAMPLES
    except ValueError:
        return False


def _key(path: Path, auth: Mapping[str, Any]) -> Path | None:
    named = auth.get("ssh_private_key")
    if not named:
        return None
    key = Path(str(named)).expanduser()
    if not is_file(key, ConfigError):
        raise ConfigError(f"{path}: auth.ssh_private_key: {named} is not there; name the key that logs in")
    return key


def _proxy(auth: Mapping[str, Any]) -> str | None:
    return str(auth["ssh_proxy_command"]) if auth.get("ssh_proxy_command") else None


def _of_host(cluster: SshCluster, host: str) -> Iterator[NodeCheck]:
    done = _log_in(cluster, host)
    if done is None or done.returncode == 255:
        yield _not_reached(cluster, host, "" if done is None else done.stderr)
        return
    yield NodeCheck(host, "ssh", True, f"{cluster.user} logs in")
    found = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    here = ".".join(platform.python_version_tuple()[:2])
    python = found.get("python") or "none"
    yield _check(host, "python", python.startswith(f"{here}."), python, f"install Python {here} on this host")
    rsync = found.get("rsync", "")
    yield _check(host, "rsync", bool(rsync), rsync or "none", "install rsync on this host")
    there = "is" if "path" in found else "is not"
    cure = "add it in ~/.profile; without it `ray down` leaves Ray running"
    yield _check(host, "path", "path" in found, f"~/streetloop-venv/bin {there} on the PATH", cure)


def _check(host: str, name: str, ok: bool, text: str, cure: str) -> NodeCheck:
    return NodeCheck(host, name, ok, text, "" if ok else cure)


def _log_in(cluster: SshCluster, host: str) -> subprocess.CompletedProcess[str] | None:
    options = [*_NO_HOST_KEYS, "BatchMode=yes", f"ConnectTimeout={_CONNECT_S}", "LogLevel=ERROR"]
    if cluster.proxy is not None:
        options.append(f"ProxyCommand={cluster.proxy}")
    command = ["ssh", *(part for option in options for part in ("-o", option))]
    if cluster.key is not None:
        command += ["-i", str(cluster.key), "-o", "IdentitiesOnly=yes"]
    try:
        return subprocess.run(
            [*command, f"{cluster.user}@{host}", _LOOK],
            capture_output=True,
            text=True,
            timeout=_ANSWER_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return None


def _not_reached(cluster: SshCluster, host: str, said: str) -> NodeCheck:
    lines = said.strip().splitlines()
    why = lines[-1].strip() if lines else f"no answer within {_ANSWER_S:g} s"
    if "Permission denied" in said:
        key = "the keys of the SSH agent" if cluster.key is None else str(cluster.key)
        cure = f"add the public key to ~/.ssh/authorized_keys of {cluster.user}, or correct auth"
        return NodeCheck(host, "ssh", False, f"{cluster.user} is refused with {key}", cure)
    cure = "start its SSH server, correct the address, or open the way to it"
    return NodeCheck(host, "ssh", False, f"cannot be reached: {why}", cure)
