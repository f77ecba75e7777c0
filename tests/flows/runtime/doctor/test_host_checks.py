"""Cluster files that `ray up` could not use, refused before anything is started."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.runtime.doctor.host_checks import SshCluster, read_ssh_cluster
from streetloop.errors import ConfigError

ROOT = Path(__file__).resolve().parents[4]


def _file(folder: Path, provider: dict[str, Any], **auth: Any) -> Path:
    path = folder / "cluster.yaml"
    path.write_text(yaml.safe_dump({"provider": provider, "auth": {"ssh_user": "ada", **auth}}))
    return path


def test_the_hosts_of_a_file_and_how_they_are_reached(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.touch()
    provider = {"type": "local", "head_ip": "10.0.0.1", "worker_ips": ["10.0.0.2", "host.example"]}
    path = _file(tmp_path, provider, ssh_private_key=str(key), ssh_proxy_command="nc gate 22")
    assert read_ssh_cluster(path) == SshCluster(
        ("10.0.0.1", "10.0.0.2", "host.example"), "ada", key, "nc gate 22"
    )


def test_the_file_of_this_repository_asks_for_hosts() -> None:
    with pytest.raises(ConfigError, match=r"192\.0\.2\.10 stands for a host; fill in yours"):
        read_ssh_cluster(ROOT / "cluster.yaml")


@pytest.mark.parametrize(
    ("provider", "sentence"),
    [
        ({"type": "local"}, "head_ip names no host"),
        ({"type": "local", "head_ip": "10.0.0.1", "worker_ips": ["192.0.2.11"]}, r"192\.0\.2\.11 stands for"),
        ({"type": "aws"}, "provider 'aws' makes its hosts itself"),
    ],
)
def test_a_file_without_hosts_is_refused(provider: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=sentence):
        read_ssh_cluster(_file(tmp_path, provider))


def test_a_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = _file(tmp_path, {"type": "local", "head_ip": "10.0.0.1"}, ssh_private_key="/no/key")
    with pytest.raises(ConfigError, match="ssh_private_key: /no/key is not there"):
        read_ssh_cluster(path)


@pytest.mark.parametrize("text", ["", "[]", "provider: 3\nauth: {}", "a: [", "provider: {}"])
def test_what_is_no_cluster_file_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="is no cluster file"):
        read_ssh_cluster(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_ssh_cluster(tmp_path / "nowhere.yaml")
