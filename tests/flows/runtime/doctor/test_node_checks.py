"""What the doctor says of a node."""

import socket
from pathlib import Path

import pytest

from flows.runtime.doctor.doctor import examine
from flows.runtime.doctor.node_checks import Expected, NodeCheck, check_clock, check_node, installed
from streetloop.settings import Settings

HERE = Expected("3.11.7", installed("ray"), installed("streetloop"), 0, is_alone=True)


def checks(settings: Settings, expected: Expected = HERE) -> dict[str, NodeCheck]:
    return {check.check: check for check in check_node(settings, expected, "node-a")}


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_single_machine_is_looked_at_without_ray(tmp_path: Path) -> None:
    found = examine(Settings(home=tmp_path / "home"), None)
    assert [check.check for check in found] == [
        *("python", "ray", "streetloop", "gpu", "ledger", "store", "registry", "labeler", "disk"),
        "shared memory",
    ]
    assert all(check.ok for check in found if check.check not in {"disk", "shared memory"})
    assert not (tmp_path / "home").exists(), "looking changes nothing"


def test_other_versions_name_the_cure(tmp_path: Path) -> None:
    expected = Expected("3.9.1", "1.13.0", installed("streetloop"), 0, is_alone=True)
    found = checks(Settings(home=tmp_path), expected)
    assert not found["python"].ok
    assert found["ray"].cure == "install Ray 1.13.0 on this node"


def test_a_gpu_that_ray_counts_and_pytorch_cannot_use_fails(tmp_path: Path) -> None:
    gpu = checks(Settings(home=tmp_path), Expected("3", "2", "0", 64, is_alone=True))["gpu"]
    assert not gpu.ok
    assert gpu.text.startswith("Ray counts 64")


def test_state_of_one_node_fails_on_several(tmp_path: Path) -> None:
    found = checks(Settings(home=tmp_path), Expected("3", "2", "0", 0, is_alone=False))
    for name, variable in (("ledger", "LEDGER_URL"), ("store", "STORE_URL"), ("registry", "TRACKING_URI")):
        assert not found[name].ok
        assert f"STREETLOOP_{variable}" in found[name].cure


def test_servers_are_reached_or_named_without_their_passwords(tmp_path: Path, closed_port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        open_port = server.getsockname()[1]
        settings = Settings(
            home=tmp_path,
            ledger_url=f"postgresql://ada:hunter2@127.0.0.1:{closed_port}/ledger",
            tracking_uri=f"http://127.0.0.1:{open_port}",
            label_studio_url=f"http://127.0.0.1:{closed_port}",
        )
        found = checks(settings)
    assert found["registry"].ok
    assert not found["ledger"].ok
    assert found["ledger"].text.startswith(f"127.0.0.1:{closed_port}: ")
    assert "STREETLOOP_LEDGER_URL" in found["ledger"].cure
    assert not found["labeler"].ok
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    ("ahead_s", "unsure_s", "ok"), [(0.2, 0.1, True), (-3.0, 0.1, False), (3.0, 2.5, True), (3.0, 0.0, False)]
)
def test_clocks_that_differ_fail_beyond_what_is_unsure(ahead_s: float, unsure_s: float, ok: bool) -> None:
    assert check_clock("node-a", ahead_s, unsure_s).ok is ok
