import socket
import subprocess
import sys
from pathlib import Path

import pytest

from streetloop.errors import ConfigError
from streetloop.host.home import lock_home, require_home, spare_user_home

_HOLD = """
import sys
from pathlib import Path
from streetloop.host.home import lock_home
with lock_home(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def _holder(home: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_home_is_made_where_there_is_none(tmp_path: Path) -> None:
    require_home(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize("home", ["/proc/none", "/dev/null/home"])
def test_a_home_that_cannot_be_made_names_the_variable(home: str) -> None:
    with pytest.raises(ConfigError, match=f"STREETLOOP_HOME: {home} cannot be made: .*name a folder"):
        require_home(Path(home))


def test_a_home_that_cannot_be_written_names_the_variable() -> None:
    with pytest.raises(ConfigError, match=r"STREETLOOP_HOME: /proc/self cannot be written: .*name a folder"):
        require_home(Path("/proc/self"))


def test_one_system_runs_in_a_home_and_the_second_is_told_which(tmp_path: Path) -> None:
    first = _holder(tmp_path)
    with pytest.raises(ConfigError) as refused, lock_home(tmp_path):
        pass
    assert f"is in use by process {first.pid} on {socket.gethostname()}" in str(refused.value)
    first.communicate()
    with lock_home(tmp_path):
        pass


def test_a_home_is_free_after_a_process_that_was_killed(tmp_path: Path) -> None:
    first = _holder(tmp_path)
    first.kill()
    first.communicate()
    with lock_home(tmp_path):
        pass


def test_two_homes_do_not_hinder_each_other(tmp_path: Path) -> None:
    with lock_home(tmp_path / "a"), lock_home(tmp_path / "b"):
        pass


def test_caches_of_libraries_leave_a_users_home_that_cannot_be_written(tmp_path: Path) -> None:
    environ = {"HOME": "/proc/none"}
    spare_user_home(environ, tmp_path)
    assert environ["MPLCONFIGDIR"] == str(tmp_path / "matplotlib")
    environ = {"HOME": "/proc/none", "MPLCONFIGDIR": "/elsewhere"}
    spare_user_home(environ, tmp_path)
    assert environ["MPLCONFIGDIR"] == "/elsewhere"
    environ = {"HOME": str(tmp_path)}
    spare_user_home(environ, tmp_path)
    assert "MPLCONFIGDIR" not in environ


def test_a_lock_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """As that of root, where somebody has run `sudo streetloop up` before."""
    (tmp_path / "running").mkdir()  # root, who may run the tests, opens every file
    words = r"STREETLOOP_HOME: .*running cannot be written: .*; remove it"
    with pytest.raises(ConfigError, match=words), lock_home(tmp_path):
        pass
