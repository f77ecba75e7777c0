"""What every test gets: no Ray unless it asks for it, and real material by name."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

# Ray reads them when it is first imported.
os.environ.setdefault("RAY_AUTH_MODE", "token")
os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")
# A registry that a test takes away is asked again at once, not after five seconds.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")

import hypothesis
import pytest

from tests.support.material import material
from tests.support.memory_folder import use_memory_folder
from tests.support.mlflow_tables import make_tables_once
from tests.support.servers import cluster

if TYPE_CHECKING:  # every test process reads this file: servers are imported by whoever starts one
    from playwright.sync_api import Browser

    from tests.support.servers.gateway import Gateway
    from tests.support.servers.labels.label_studio import Studio
    from tests.support.servers.postgres import Postgres

use_memory_folder()

# Times say nothing on a shared machine, and a test must not fail on one run and pass on the next.
hypothesis.settings.register_profile("streetloop", deadline=None, derandomize=True)
hypothesis.settings.load_profile("streetloop")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those of Label Studio come last, before them those of one Ray; shorter ones before longer."""
    items.sort(
        key=lambda item: (
            item.get_closest_marker("label_studio") is not None,
            _shares_ray(item),
            _longest_s(item),  # the first run beside the tests without servers
        )
    )


def pytest_collection_finish(session: pytest.Session) -> None:
    """The installation of Label Studio begins while others are tested."""
    wanted = any(item.get_closest_marker("label_studio") for item in session.items)
    if wanted and not session.config.option.collectonly:
        from tests.support.servers.labels.label_studio_install import installation

        installation.begin()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Only those that share the session's Ray find one."""
    if not _shares_ray(item):
        cluster.stop()


def pytest_sessionfinish() -> None:
    """Nothing is left behind."""
    cluster.stop()
    if (install := sys.modules.get("tests.support.servers.labels.label_studio_install")) is not None:
        install.installation.end()


def _longest_s(item: pytest.Item) -> float:
    limit = item.get_closest_marker("timeout")
    return 0.0 if limit is None else float(limit.args[0])


def _shares_ray(item: pytest.Item) -> bool:
    return "shared_ray" in getattr(item, "fixturenames", ())


@pytest.fixture(autouse=True)
def _ray_only_where_marked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A unit test that starts Ray is a mistake."""
    if request.node.get_closest_marker("ray") is not None:
        yield
        return

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a unit test started Ray; mark it with @pytest.mark.ray")

    if (ray := sys.modules.get("ray")) is not None:
        monkeypatch.setattr(ray, "init", refuse)
    yield
    # A test that was the first to import Ray met the real `init`.
    if (ray := sys.modules.get("ray")) is not None and ray.is_initialized():
        refuse()


@pytest.fixture(autouse=True)
def _mlflow_makes_tables_once() -> None:
    """Its migrations take a second of each test with a registry."""
    if (utils := sys.modules.get("mlflow.store.db.utils")) is not None:
        make_tables_once(utils)


@pytest.fixture(autouse=True, scope="module")
def _servers_where_they_can_run(request: pytest.FixtureRequest) -> None:
    """Without the packages of a real server its tests are skipped, but never in CI."""
    for marker, server in (("rtsp", "cameras.rtsp"), ("prometheus", "prometheus"), ("nginx", "nginx")):
        if request.node.get_closest_marker(marker) is None:
            continue
        lack = import_module(f"tests.support.servers.{server}").missing()
        if lack is not None:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(lack)


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings come from the test, not from whoever runs it."""
    for name in [name for name in os.environ if name.startswith("STREETLOOP_")]:
        if name != "STREETLOOP_TEST_DATA":
            monkeypatch.delenv(name)
    monkeypatch.setenv("STREETLOOP_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def weights() -> Path:
    """A COCO detector as its makers publish it."""
    return material("weights/yolov8n.pt")


@pytest.fixture(scope="session")
def street_clip() -> Path:
    """Ten seconds of a busy street, 352x288 at 25 fps."""
    return material("videos/jamcam/tfl_2.mp4")


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Exports of checkpoints, shared by the tests of a session."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A running S3 server; every test takes a bucket of its own."""
    from tests.support.servers import gateway

    yield from gateway.start(tmp_path_factory.mktemp("gateway"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium of the tests of a module."""
    from tests.support.servers.browser import chromium

    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL; a test that stops it starts it again."""
    from tests.support.servers import postgres

    yield from postgres.start()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """URL of an empty ledger on each kind of database, which settings have as their default."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    url = server.migrated()
    monkeypatch.setenv("STREETLOOP_LEDGER_URL", url)
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database in which nobody made a table yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.empty()
    yield url
    server.drop(url)


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A running Label Studio; a test that kills it starts it again."""
    from tests.support.servers.labels import label_studio

    yield from label_studio.start(tmp_path_factory.mktemp("studio"))


@pytest.fixture(scope="module")
def shared_ray() -> Iterator[None]:
    """The Ray of the session; what a module serves there ends with it."""
    cluster.start()
    yield
    if (serve := sys.modules.get("ray.serve")) is not None:
        serve.shutdown()


@pytest.fixture
def title() -> str:
    """A project of Label Studio that no other test uses."""
    return f"test {uuid.uuid4().hex[:12]}"
