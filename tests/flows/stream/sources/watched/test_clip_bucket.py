"""Clips that are dropped into a bucket of a real S3 server."""

import io
import itertools
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from minio import Minio
from pydantic import SecretStr

from flows.stream.sources.registry import open_source
from flows.stream.sources.source import Source
from streetloop.cameras.camera_file import Camera
from streetloop.errors import ConfigError, SourceUnavailable
from streetloop.secrets import SecretUri
from streetloop.settings import Settings
from tests.support.contracts.source_contract import SourceContract
from tests.support.samples.odd_clips import steady, write_stamped
from tests.support.servers.gateway import PASSWORD, USER, Gateway
from tests.support.stream_flow.fakes import FakeClock

pytestmark = pytest.mark.minio

Drop = Callable[[str, int], None]


@pytest.fixture
def bucket() -> str:
    return f"b{uuid.uuid4().hex[:20]}"


@pytest.fixture
def drop(gateway: Gateway, bucket: str, tmp_path: Path) -> Drop:
    """Puts a clip of so many pictures into the bucket."""
    client = Minio(
        endpoint=gateway.endpoint.partition("//")[2], access_key=USER, secret_key=PASSWORD, secure=False
    )
    client.make_bucket(bucket)

    def put(name: str, pictures: int) -> None:
        data = write_stamped(tmp_path / "dropped.mp4", steady(pictures)).read_bytes()
        client.put_object(bucket, name, io.BytesIO(data), len(data))

    return put


@pytest.fixture
def settings(gateway: Gateway, tmp_path: Path) -> Settings:
    return Settings(
        home=tmp_path / "home",
        s3_endpoint=gateway.endpoint,
        s3_access_key=SecretStr(USER),
        s3_secret_key=SecretStr(PASSWORD),
    )


def _source(uri: str, settings: Settings | None) -> Source:
    return open_source(Camera(id="a40", uri=SecretUri(uri)), FakeClock(), settings)


class _Ending(FakeClock):
    """Stops at its first wait: when nothing is left to be played."""

    def __init__(self) -> None:
        super().__init__()
        self.stop = threading.Event()

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        self.stop.set()
        return super().wait(event, timeout_s)


def _play_all(uri: str, settings: Settings) -> int:
    clock = _Ending()
    source = open_source(Camera(id="a40", uri=SecretUri(uri)), clock, settings)
    return len(list(source.read(clock.stop)))


class TestClipBucket(SourceContract):
    @pytest.fixture
    def source(self, drop: Drop, bucket: str, settings: Settings) -> Iterator[Source]:
        drop("a.mp4", 8)
        return _source(f"watch+s3://{bucket}", settings)


def test_each_object_of_the_prefix_is_played_once_also_after_a_restart(
    drop: Drop, bucket: str, settings: Settings
) -> None:
    drop("north gate/früh.mp4", 3)
    drop("north gate/2026/b.mkv.mp4", 4)
    drop("north gate/notes.txt", 2)
    drop("south/c.mp4", 5)
    uri = f"watch+s3://{bucket}/north%20gate"
    assert _play_all(uri, settings) == 7
    assert _play_all(uri, settings) == 0
    drop("north gate/früh.mp4", 6)
    assert _play_all(uri, settings) == 6
    assert not [file for file in settings.home.rglob("*") if file.suffix == ".mp4"]


def test_a_clip_that_was_stopped_is_played_again(drop: Drop, bucket: str, settings: Settings) -> None:
    drop("a.mp4", 9)
    stop = threading.Event()
    frames = _source(f"watch+s3://{bucket}", settings).read(stop)
    assert len(list(itertools.islice(frames, 2))) == 2
    stop.set()
    frames.close()
    assert _play_all(f"watch+s3://{bucket}", settings) == 9


def test_a_server_that_is_away_may_come_back(
    drop: Drop, bucket: str, settings: Settings, gateway: Gateway
) -> None:
    drop("a.mp4", 3)
    gateway.kill()
    try:
        with pytest.raises(SourceUnavailable, match="not reached") as caught:
            _play_all(f"watch+s3://{bucket}", settings)
        assert not _source(f"watch+s3://{bucket}", settings).is_final(caught.value)
    finally:
        gateway.start()
    assert _play_all(f"watch+s3://{bucket}", settings) == 3


def test_a_wrong_password_is_said_and_not_shown(bucket: str, settings: Settings) -> None:
    wrong = settings.model_copy(update={"s3_secret_key": SecretStr("hunter2hunter2")})
    with pytest.raises(SourceUnavailable, match="SignatureDoesNotMatch") as caught:
        _source(f"watch+s3://{bucket}", wrong).probe()
    assert "hunter2" not in str(caught.value)


def test_a_bucket_that_is_not_there_is_named(settings: Settings) -> None:
    with pytest.raises(SourceUnavailable, match="s3://no-such-bucket"):
        _source("watch+s3://no-such-bucket", settings).probe()


def test_settings_without_a_server_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"camera 'a40': watch\+s3://traffic: set STREETLOOP_S3_ENDPOINT"):
        _source("watch+s3://traffic", None)


@pytest.mark.parametrize(
    "rest", ["", "/", "user:hunter2@traffic", "traffic?every=2", "Ab", "127.0.0.1:9000/b"]
)
def test_what_names_no_bucket_is_refused(rest: str, settings: Settings) -> None:
    with pytest.raises(ConfigError, match=r"write watch\+s3://bucket/prefix") as caught:
        _source(f"watch+s3://{rest}", settings)
    assert "hunter2" not in str(caught.value)
