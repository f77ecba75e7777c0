import contextlib
import pickle
import resource
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streetloop.errors import StoreError
from streetloop.storage.minio import MinioStore
from streetloop.storage.store import FolderStore, ObjectStore, put_image
from tests.support.servers.gateway import Gateway

# Every store passes the same tests; a new one is added here.
Make = Callable[[pytest.FixtureRequest], ObjectStore]


def _folder(request: pytest.FixtureRequest) -> ObjectStore:
    path: Path = request.getfixturevalue("tmp_path")
    return FolderStore(path / "store")


def _bucket(prefix: str) -> Make:
    def make(request: pytest.FixtureRequest) -> ObjectStore:
        gateway: Gateway = request.getfixturevalue("gateway")
        return MinioStore(f"b{uuid.uuid4().hex[:20]}", prefix, gateway.access)

    return make


IMPLEMENTATIONS: dict[str, Make] = {
    "folder": _folder,
    "minio": _bucket(""),
    "minio with a prefix": _bucket("streets/north"),
}

KEYS = ["log/a40/1.parquet", "log/a40/2.parquet", "log/b1/1.parquet", "models/x.onnx", "top"]
BAD_KEYS = ["", "/", "..", ".", "../a", "a/../b", "a/./b", "a//b", "/etc/passwd", "a/", "a\0b"]


_PARAMS = [
    pytest.param(name, marks=[pytest.mark.minio] if name.startswith("minio") else [])
    for name in IMPLEMENTATIONS
]


@pytest.fixture(params=_PARAMS)
def store(request: pytest.FixtureRequest) -> ObjectStore:
    return IMPLEMENTATIONS[request.param](request)


@pytest.mark.parametrize("data", [b"", b"hello", bytes(range(256)) * 1000])
def test_an_object_comes_back_as_it_was_put(store: ObjectStore, data: bytes) -> None:
    store.put("log/a40/1.bin", data)
    assert store.get("log/a40/1.bin") == data


@pytest.mark.parametrize("key", ["a", "a b.txt", "Ä/ö.bin", "a.b/.c", "..a/b..", "h=10/p.parquet"])
def test_a_key_may_hold_any_name(store: ObjectStore, key: str) -> None:
    store.put(key, b"x")
    assert store.get(key) == b"x"
    assert list(store.keys()) == [key]


def test_a_second_put_replaces_the_object(store: ObjectStore) -> None:
    store.put("a/b", b"a longer first value")
    store.put("a/b", b"second")
    assert store.get("a/b") == b"second"
    assert list(store.keys()) == ["a/b"]


@pytest.mark.parametrize("key", ["nothing", "log/nothing", "log/a40", "top/below"])
def test_an_object_that_is_not_there_is_a_store_error_that_names_it(store: ObjectStore, key: str) -> None:
    for present in KEYS:
        store.put(present, b"x")
    with pytest.raises(StoreError, match=key):
        store.get(key)


def test_a_store_without_objects_has_no_keys(store: ObjectStore) -> None:
    assert list(store.keys()) == []


def test_keys_come_sorted_whatever_the_order_of_writing(store: ObjectStore) -> None:
    for key in (KEYS[2], KEYS[4], KEYS[0], KEYS[3], KEYS[1]):
        store.put(key, b"x")
    assert list(store.keys()) == KEYS


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("", KEYS),
        ("log/", KEYS[:3]),
        ("log/a40/", KEYS[:2]),
        ("log/a", KEYS[:2]),
        ("log/a40/1.parquet", KEYS[:1]),
        ("t", ["top"]),
        ("og", []),
        ("nothing/", []),
        ("../", []),
    ],
)
def test_a_prefix_selects_the_keys_that_start_with_it(
    store: ObjectStore, prefix: str, expected: list[str]
) -> None:
    for key in KEYS:
        store.put(key, b"x")
    assert list(store.keys(prefix)) == expected


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_that_is_no_name_is_refused(store: ObjectStore, key: str) -> None:
    with pytest.raises(StoreError):
        store.put(key, b"x")
    with pytest.raises(StoreError):
        store.get(key)
    assert list(store.keys()) == []


def test_a_reader_sees_the_old_object_or_the_new_one_and_never_a_part(store: ObjectStore) -> None:
    values = [bytes([n]) * 100_000 for n in range(40)]
    store.put("a/b", values[0])
    done = threading.Event()

    def replace() -> None:
        for value in values:
            store.put("a/b", value)
        done.set()

    writer = threading.Thread(target=replace)
    writer.start()
    seen, listed = [], []
    while not done.is_set():
        seen.append(store.get("a/b"))
        listed.append(list(store.keys()))
    writer.join(timeout=10)
    assert all(value in values for value in seen)
    assert all(keys == ["a/b"] for keys in listed)


def test_the_address_of_a_prefix_contains_that_of_its_objects(store: ObjectStore) -> None:
    store.put("log/a40/1.parquet", b"x")
    assert store.uri("log/a40/1.parquet").startswith(store.uri("log"))


@contextmanager
def no_file_larger_than(limit_bytes: int) -> Iterator[None]:
    """As on a disk that is full: writing goes well up to a point."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def files_under(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_a_write_that_fails_half_way_leaves_the_predecessor_and_no_rest(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("a/b", b"before")
    with no_file_larger_than(4096), pytest.raises(StoreError, match="a/b"):
        store.put("a/b", b"x" * 100_000)
    assert store.get("a/b") == b"before"
    assert files_under(tmp_path) == ["a/b"]


def test_a_first_write_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with no_file_larger_than(4096), pytest.raises(StoreError):
        store.put("a/b", b"x" * 100_000)
    assert list(store.keys()) == []
    assert files_under(tmp_path) == []


def test_an_object_cannot_take_the_place_of_a_folder(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("a/b", b"x")
    with pytest.raises(StoreError):
        store.put("a", b"y")
    assert files_under(tmp_path) == ["a/b"]


def test_a_folder_of_the_user_that_is_not_there_is_made(tmp_path: Path) -> None:
    FolderStore(tmp_path / "x" / "y").put("a", b"1")
    assert (tmp_path / "x" / "y" / "a").read_bytes() == b"1"


def test_the_address_of_a_folder_store_is_an_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert FolderStore(Path("here")).uri("log/a40") == str(tmp_path / "here" / "log" / "a40")


@given(key=st.text(alphabet="ab./\0", max_size=8))
def test_no_key_leads_out_of_the_folder(key: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    store = FolderStore(outside / "in" / "store")
    try:
        store.put(key, b"x")
    except StoreError:
        written: list[str] = []
    else:
        written = [f"in/store/{key}"]
    assert files_under(outside) == written


def test_an_object_that_is_removed_is_gone_and_the_others_stay(store: ObjectStore) -> None:
    for key in KEYS:
        store.put(key, b"x")
    store.delete(KEYS[0])
    assert list(store.keys()) == KEYS[1:]
    store.delete(KEYS[0])  # again is as good
    store.delete("never/there")
    assert list(store.keys()) == KEYS[1:]
    store.put(KEYS[0], b"again")
    assert store.get(KEYS[0]) == b"again"


@pytest.mark.parametrize("key", BAD_KEYS)
def test_what_is_no_key_cannot_be_removed(store: ObjectStore, key: str) -> None:
    store.put("log/a40/1.parquet", b"x")
    with pytest.raises(StoreError):
        store.delete(key)
    assert list(store.keys()) == ["log/a40/1.parquet"]


@pytest.mark.parametrize("key", ["top/below", "log", "log/a40"])
def test_removing_below_or_above_an_object_says_so_or_does_nothing(store: ObjectStore, key: str) -> None:
    store.put("top", b"x")
    store.put("log/a40/1.parquet", b"y")
    with contextlib.suppress(StoreError):
        store.delete(key)
    assert list(store.keys()) == ["log/a40/1.parquet", "top"]
    assert store.get("top") == b"x"


def test_a_store_can_be_given_to_another_process(store: ObjectStore) -> None:
    store.put("a/b", b"x")
    copy: ObjectStore = pickle.loads(pickle.dumps(store))
    assert copy.get("a/b") == b"x"
    copy.put("a/c", b"y")
    assert list(store.keys()) == ["a/b", "a/c"]
    assert copy.uri("a") == store.uri("a")


def test_an_image_is_stored_by_its_content_however_often_it_comes(store: ObjectStore) -> None:
    digest, key = put_image(store, b"a picture", "png")
    assert put_image(store, b"a picture", "png") == (digest, key)
    assert put_image(store, b"another", "png")[1] != key
    assert store.get(key) == b"a picture"
    assert len(list(store.keys("frames/"))) == 2
