"""Which Ray a command joins, and what it says of one that it cannot join."""

import json
import platform
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import grpc
import pytest

from flows.runtime.cluster.ray_address import find_ray, require_ray
from streetloop.errors import ConfigError

HERE = (version("ray"), platform.python_version())
TOKEN = "0123456789abcdef" * 4


def _field_2(content: bytes) -> bytes:
    return b"\x12" + bytes([len(content)]) + content


class Head(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Answers as the head of a Ray does."""

    def __init__(self, ray: str, python: str, token: str | None = None) -> None:
        self._token = token
        metadata = json.dumps({"ray_version": ray, "python_version": python}).encode()
        self._answers = {"CheckAlive": _field_2(ray.encode()), "InternalKVGet": _field_2(metadata)}

    def service(self, details: Any) -> Any:
        given = dict(details.invocation_metadata).get("authorization")

        def answer(_: bytes, context: Any) -> bytes:
            if self._token is not None and given != f"Bearer {self._token}":
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "InvalidAuthToken")
            return self._answers[details.method.rsplit("/", 1)[-1]]

        return grpc.unary_unary_rpc_method_handler(answer)


class Heads:
    """Starts heads, and ends them all."""

    def __init__(self) -> None:
        self._servers: list[grpc.Server] = []

    def __call__(self, *arguments: Any) -> str:
        server = grpc.server(ThreadPoolExecutor(2), handlers=[Head(*arguments)])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self._servers.append(server)
        return f"127.0.0.1:{port}"

    def close(self) -> None:
        for server in self._servers:
            server.stop(None).wait()


@pytest.fixture
def head() -> Iterator[Heads]:
    heads = Heads()
    yield heads
    heads.close()


def silent(text: str) -> None:
    raise AssertionError(text)


def test_without_an_address_a_command_starts_a_ray_of_its_own() -> None:
    assert find_ray(None, {}, silent) is None


def test_another_ray_address_is_no_surprise(head: Heads) -> None:
    said: list[str] = []
    environ = {"RAY_ADDRESS": "other:6379"}
    assert find_ray(None, environ, said.append) is None
    assert environ == {}  # nor do processes of its own Ray inherit it
    address = head(*HERE)
    found = find_ray(address, {"RAY_ADDRESS": "other:6379"}, said.append)
    assert found is not None
    assert found.text == address
    assert said == [
        "RAY_ADDRESS=other:6379 is not used: give --address auto to join that Ray",
        f"joining the Ray at {address}, not RAY_ADDRESS=other:6379",
    ]


def test_a_command_of_a_submitted_job_joins_the_ray_of_the_job(head: Heads) -> None:
    address = head(*HERE)
    found = find_ray(None, {"RAY_ADDRESS": address, "RAY_JOB_CONFIG_JSON_ENV_VAR": "{}"}, silent)
    assert found is not None
    assert found.text == address


def test_auto_is_what_ray_start_noted(head: Heads, tmp_path: Path) -> None:
    address = head(*HERE)
    with pytest.raises(ConfigError, match=r"--address auto: `ray start` has started no Ray"):
        find_ray("auto", {"RAY_TMPDIR": str(tmp_path)}, silent)
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text(f"{address}\n")
    found = find_ray("auto", {"RAY_TMPDIR": str(tmp_path)}, silent)
    assert found is not None
    assert found.text == address


@pytest.mark.parametrize(
    ("ray", "python", "said"),
    [("1.13.0", HERE[1], "runs Ray 1.13.0, and this command"), (HERE[0], "3.9.1", "runs Python 3.9.1, and")],
)
def test_other_versions_are_named(head: Heads, ray: str, python: str, said: str) -> None:
    with pytest.raises(ConfigError, match=f"{said}.*install the same version"):
        find_ray(head(ray, python), {}, silent)


def test_a_ray_that_asks_for_a_token_gets_it_and_no_other_does(head: Heads, tmp_path: Path) -> None:
    closed, open_to_all = head(*HERE, TOKEN), head(*HERE)
    nobody = {"RAY_AUTH_TOKEN_PATH": str(tmp_path / "none")}
    with pytest.raises(ConfigError, match=r"asks for a token, and there is none; set RAY_AUTH_TOKEN"):
        find_ray(closed, nobody, silent)
    with pytest.raises(ConfigError, match=r"asks for a token, and that of this user is another one") as other:
        find_ray(closed, {"RAY_AUTH_TOKEN": "secret" * 8}, silent)
    assert "secret" not in str(other.value)
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    found = find_ray(closed, {"RAY_AUTH_TOKEN_PATH": str(tmp_path / "token")}, silent)
    assert found is not None
    assert found.token == TOKEN
    assert TOKEN not in repr(found)
    environ = {"RAY_AUTH_TOKEN": TOKEN, "RAY_AUTH_MODE": "token"}
    free = find_ray(open_to_all, environ, silent)
    assert free is not None
    assert free.token is None
    assert environ["RAY_AUTH_MODE"] == "disabled"


@pytest.mark.parametrize(
    "module",
    [
        "flows.runtime.session",
        "flows.learning.training_job",
        "flows.reports.evaluation",
        "flows.runtime.doctor.doctor",
    ],
)
def test_ray_is_not_imported_before_its_address_is_known(module: str) -> None:
    """It reads at its import how it talks to the others."""
    code = f"import sys, {module}; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_where_no_ray_is_nothing_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ConfigError, match=rf"127.0.0.1:{port}: no Ray answers there; start one by"):
        find_ray(f"127.0.0.1:{port}", {}, silent)


def test_the_variable_that_named_the_address_is_named(head: Heads) -> None:
    for address, environ in (
        ("auto", {"RAY_ADDRESS": "127.0.0.1:1"}),
        (None, {"RAY_ADDRESS": "127.0.0.1:1", "RAY_JOB_CONFIG_JSON_ENV_VAR": "{}"}),
    ):
        before = dict(environ)
        with pytest.raises(ConfigError, match=r"^RAY_ADDRESS=127\.0\.0\.1:1: no Ray answers there"):
            require_ray(address, environ)
        assert environ == before
    require_ray(head(*HERE), {})


def test_an_address_is_refused_before_what_takes_long_to_import(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("cameras: [{id: a, uri: 'sim://kingsport/crossing'}]")
    code = (
        "import sys; from flows.cli.main import main; "
        "sys.argv = ['streetloop', 'run', 'c.yaml', '--address', '127.0.0.1:1']\n"
        "try: main()\n"
        "finally: print('flows.runtime.session' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "False\n")
    (said,) = done.stderr.splitlines()
    assert said.startswith("error: --address 127.0.0.1:1: no Ray answers there")


@pytest.mark.parametrize(
    "address", ["", "6379", "head:", "head:0", "head:70000", "ray://head:10001", "a b:1"]
)
def test_an_address_is_a_host_and_a_port(address: str) -> None:
    with pytest.raises(ConfigError, match=r"--address .*(HOST:PORT|ray job submit)"):
        find_ray(address, {}, silent)
