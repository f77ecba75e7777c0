"""What is MinIO's alone: credentials, links, a server that goes away. The rest: test_store.py."""

import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pyarrow.fs
import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr

from flows.stream.sinks.detection_log import SCHEMA, DetectionLog
from streetloop.clock import SystemClock
from streetloop.errors import ConfigError, StoreError
from streetloop.storage import minio as minio_store
from streetloop.storage.minio import MinioStore
from streetloop.storage.s3_access import S3Access
from tests.support.servers.gateway import PASSWORD, USER, Gateway

pytestmark = pytest.mark.minio

NOBODY = S3Access("http://127.0.0.1:9", SecretStr("somebody"), SecretStr("hunter2"))


@pytest.fixture
def bucket() -> str:
    return f"b{uuid.uuid4().hex[:20]}"


@pytest.fixture
def store(gateway: Gateway, bucket: str) -> MinioStore:
    return MinioStore(bucket, "", gateway.access)


def asked_in_every_way(store: MinioStore) -> Iterator[pytest.ExceptionInfo[StoreError]]:
    for ask in (
        lambda: store.get("a/b"),
        lambda: store.put("a/b", b"x"),
        lambda: store.delete("a/b"),
        lambda: list(store.keys()),
    ):
        with pytest.raises(StoreError) as caught:
            ask()
        yield caught


@pytest.mark.parametrize(
    ("user", "password", "words"),
    [
        (USER, "hunter2", "SignatureDoesNotMatch"),
        ("hunter2", PASSWORD, "InvalidAccessKeyId"),
        ("hunter2\nX-Odd: 1", PASSWORD, "ValueError"),
    ],
)
def test_wrong_credentials_are_said_and_not_shown(
    gateway: Gateway, store: MinioStore, bucket: str, user: str, password: str, words: str
) -> None:
    store.put("a/b", b"x")
    access = replace(gateway.access, access_key=SecretStr(user), secret_key=SecretStr(password))
    assert "hunter2" not in repr(access)
    for caught in asked_in_every_way(MinioStore(bucket, "", access)):
        assert words in str(caught.value)
        assert gateway.endpoint in str(caught.value)
        assert "hunter2" not in str(caught.value) + repr(caught.value.__cause__)
    assert store.get("a/b") == b"x"


def test_a_large_object_comes_back_as_it_was_put(store: MinioStore) -> None:
    data = bytes(range(256)) * 80_000  # 20 MB: in several parts
    store.put("weights/large.pt", data)
    assert store.get("weights/large.pt") == data
    assert list(store.keys()) == ["weights/large.pt"]


def test_two_who_write_first_at_once_both_do(gateway: Gateway, bucket: str) -> None:
    stores = [MinioStore(bucket, "", gateway.access) for _ in range(4)]
    gate = threading.Barrier(4)

    def write(number: int) -> None:
        gate.wait(60)
        stores[number].put(f"{number}", b"x")

    writers = [threading.Thread(target=write, args=(k,)) for k in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    assert list(stores[0].keys()) == ["0", "1", "2", "3"]


def test_stores_of_one_bucket_do_not_see_each_other(gateway: Gateway, bucket: str) -> None:
    north, south = (MinioStore(bucket, prefix, gateway.access) for prefix in ("n", "/s/"))
    north.put("a", b"north")
    south.put("a", b"south")
    assert (north.get("a"), south.get("a")) == (b"north", b"south")
    assert list(MinioStore(bucket, "", gateway.access).keys()) == ["n/a", "s/a"]
    assert south.uri("a") == f"s3://{bucket}/s/a"
    assert (north.uri(""), MinioStore(bucket, "", gateway.access).uri("")) == (
        f"s3://{bucket}/n",
        f"s3://{bucket}",
    )


# The server goes away


def test_a_server_that_is_away_costs_one_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MinioStore("bucket", "", NOBODY)
    said = [str(caught.value) for caught in asked_in_every_way(store)]
    assert said[0].endswith("not reached")
    assert all("not reached a moment ago" in sentence for sentence in said[1:])
    assert "hunter2" not in "".join(said)


def test_a_server_that_comes_back_is_used_again(
    gateway: Gateway, store: MinioStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minio_store, "_PAUSE_S", 0.0)
    store.put("a", b"before")
    gateway.kill()
    for caught in asked_in_every_way(store):
        assert "not reached" in str(caught.value)
    gateway.start()
    assert store.get("a") == b"before"
    store.put("a", b"after")
    assert store.get("a") == b"after"


def test_a_server_that_says_nothing_costs_two_silences(
    gateway: Gateway, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minio_store, "_READ_TIMEOUT_S", 0.3)
    store = MinioStore(bucket, "", gateway.access)
    store.put("a/b", b"x")
    with gateway.frozen():
        began = time.monotonic()
        said = [str(caught.value) for caught in asked_in_every_way(store)]
        assert time.monotonic() - began < 5
    assert said[0].endswith("not reached")
    monkeypatch.setattr(store, "_away_until", 0.0)
    assert store.get("a/b") == b"x"


class _NoS3(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path.endswith("/a/b") else 418)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", "1000000" if self.path.endswith("/a/b") else "5")
        self.end_headers()
        self.wfile.write(b"<html")

    do_PUT = do_DELETE = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None: ...


def test_what_is_no_s3_server_is_a_store_error() -> None:
    with HTTPServer(("127.0.0.1", 0), _NoS3) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        access = replace(NOBODY, endpoint=f"http://127.0.0.1:{server.server_address[1]}")
        store = MinioStore("bucket", "", access)
        with pytest.raises(StoreError, match="cannot read 'a/b'"):
            store.get("a/b")  # cut short
        with pytest.raises(StoreError, match="cannot store 'a/c'"):
            store.put("a/c", b"x")
        with pytest.raises(StoreError, match="cannot list"):
            list(store.keys())
        server.shutdown()


@pytest.mark.parametrize(
    "endpoint", ["127.0.0.1:9000", "ftp://x", "http://", "http://u:hunter2@x", "http://x/path", ""]
)
def test_an_endpoint_that_is_no_address_is_refused(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="no address of an S3 server") as caught:
        MinioStore("bucket", "", replace(NOBODY, endpoint=endpoint))
    assert "hunter2" not in str(caught.value)


# Links


def test_a_link_opens_without_credentials_and_no_other_object(store: MinioStore) -> None:
    store.put("frames/a b.jpg", b"a picture")
    store.put("frames/other.jpg", b"another")
    link = store.link("frames/a b.jpg")
    picture = httpx.get(link)
    assert (picture.status_code, picture.content) == (200, b"a picture")
    assert picture.headers["content-type"] == "image/jpeg"
    assert PASSWORD not in link
    assert httpx.get(link.replace("a%20b", "other")).status_code == 403
    assert httpx.get(link.split("?")[0]).status_code == 403
    assert httpx.put(link, content=b"forged").status_code == 403
    with pytest.raises(StoreError):
        store.link("../a")


def test_a_link_has_the_public_address_and_is_made_without_asking(
    gateway: Gateway, store: MinioStore, bucket: str
) -> None:
    store.put("a.jpg", b"a picture")
    public = f"http://localhost:{gateway.port}"
    hidden = replace(gateway.access, endpoint="http://127.0.0.1:9", public_endpoint=public)
    began = time.monotonic()
    link = MinioStore(bucket, "", hidden).link("a.jpg")
    assert time.monotonic() - began < 1
    assert link.startswith(f"{public}/{bucket}/a.jpg?")
    assert httpx.get(link).content == b"a picture"


# Readers


def test_the_detection_log_is_read_from_there(gateway: Gateway, store: MinioStore) -> None:
    log = DetectionLog(store, "detections/run=1", "w", ["a40"], ("car",), 60, SystemClock())
    log.close()
    files = pyarrow.fs.S3FileSystem(access_key=USER, secret_key=PASSWORD, endpoint_override=gateway.endpoint)
    table = pq.read_table(store.uri("detections/run=1").removeprefix("s3://"), filesystem=files)
    assert set(SCHEMA.names) <= set(table.column_names)
