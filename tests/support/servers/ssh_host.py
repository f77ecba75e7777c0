"""A host that is reached over SSH: a real sshd here, with a home and processes of its own."""

import getpass
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from tests.support.servers.ports import free_port

_PROGRAMS = ("sshd", "ssh-keygen", "rsync", "nc", "unshare")
_PATIENCE_S = 20.0


class SshHost:
    """Starts it; `close` ends it with all that runs on it.

    Its processes are in a namespace of their own: ``ray stop`` there ends no other Ray.

    Attributes:
        home: The home of the user that logs in.
        port: Where it listens, on loopback.
        key: Path of the key that logs in.
        user: Who logs in.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="sl-ssh-", dir="/tmp"))  # Ray's sockets want short paths
        self.home, self.key = self._folder / "home", self._folder / "key"
        self.port, self.user = free_port(), getpass.getuser()
        self.home.mkdir()
        for key in (self.key, self._folder / "host_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        shutil.copy(self.key.with_suffix(".pub"), self._folder / "authorized_keys")
        (self._folder / "login").write_text(
            f'#!/bin/bash\ncd {self.home}\nexport HOME={self.home}\nexec bash -c "$SSH_ORIGINAL_COMMAND"\n'
        )
        (self._folder / "login").chmod(0o755)
        (self._folder / "sshd_config").write_text(self._configuration())
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd insists
        with (self._folder / "sshd.log").open("w") as log:
            self._process = subprocess.Popen(
                [
                    *("unshare", "--pid", "--fork", "--mount-proc", "--kill-child"),
                    *(str(_found("sshd")), "-D", "-e", "-f", str(self._folder / "sshd_config")),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait()

    def _configuration(self) -> str:
        lines = {
            "Port": self.port,
            "ListenAddress": "127.0.0.1",
            "HostKey": self._folder / "host_key",
            "AuthorizedKeysFile": self._folder / "authorized_keys",
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "PidFile": self._folder / "sshd.pid",
            "ForceCommand": shlex.quote(str(self._folder / "login")),
        }
        return "".join(f"{name} {value}\n" for name, value in lines.items())

    def _wait(self) -> None:
        end = time.monotonic() + _PATIENCE_S
        command = ["ssh", "-i", str(self.key), "-p", str(self.port), "-o", "StrictHostKeyChecking=no"]
        command += ["-o", "UserKnownHostsFile=/dev/null", f"{self.user}@127.0.0.1", "true"]
        while subprocess.run(command, capture_output=True, check=False).returncode:
            if self._process.poll() is not None or time.monotonic() > end:
                said = (self._folder / "sshd.log").read_text()
                self.close()
                raise AssertionError(f"sshd does not let us in: {said}")

    @property
    def auth(self) -> dict[str, str]:
        """``auth`` of a cluster file that reaches it."""
        return {
            "ssh_user": self.user,
            "ssh_private_key": str(self.key),
            "ssh_proxy_command": f"nc 127.0.0.1 {self.port}",
        }

    def processes(self) -> list[str]:
        """Command lines of what runs on it, sshd left out."""
        try:
            children = psutil.Process(self._process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        lines = [" ".join(child.cmdline()) for child in children if child.is_running()]
        return [line for line in lines if line and "sshd" not in line.split()[0]]

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _found(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def start() -> SshHost:
    """A host; skips where its programs or the right to make namespaces are missing, but in CI."""
    lacking = [program for program in _PROGRAMS if _found(program) is None]
    why = f"the tests of `ray up` need {', '.join(lacking)}" if lacking else ""
    if not why and os.geteuid() != 0:
        why = "the tests of `ray up` need root, for a namespace of processes"
    if why:
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    return SshHost()
