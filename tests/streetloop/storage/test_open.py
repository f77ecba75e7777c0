"""Which object store the settings mean."""

from pathlib import Path

import pytest

from streetloop.errors import ConfigError
from streetloop.settings import Settings, read_settings
from streetloop.storage.minio import MinioStore
from streetloop.storage.open import open_store
from streetloop.storage.store import FolderStore

S3 = {
    "store_url": "s3://streets/north",
    "s3_endpoint": "http://127.0.0.1:9",
    "s3_access_key": "somebody",
    "s3_secret_key": "hunter2",
}


def test_by_default_it_is_a_folder_in_the_home(tmp_path: Path) -> None:
    store = open_store(Settings(home=tmp_path))
    assert isinstance(store, FolderStore)
    assert store.uri("") == str(tmp_path / "store")


def test_a_folder_may_be_named_and_is_the_same_wherever_a_process_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = read_settings(store_url="here/store")
    monkeypatch.chdir("/")
    assert open_store(settings).uri("a") == str(tmp_path / "here" / "store" / "a")


@pytest.mark.parametrize("url", ["s3://streets/north", "s3://streets/north/"])
def test_a_bucket_may_be_named(url: str) -> None:
    store = open_store(read_settings(**{**S3, "store_url": url}))
    assert isinstance(store, MinioStore)
    assert store.uri("a") == "s3://streets/north/a"


@pytest.mark.parametrize("lacking", ["s3_endpoint", "s3_access_key", "s3_secret_key"])
def test_what_is_lacking_for_a_bucket_is_named(lacking: str) -> None:
    settings = read_settings(**{k: v for k, v in S3.items() if k != lacking})
    with pytest.raises(ConfigError, match=f"set STREETLOOP_{lacking.upper()}, too") as caught:
        open_store(settings)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["gs://streets", "s3://", "s3://A", "s3://key:hunter2@streets", "s3://streets/../x", " "]
)
def test_other_places_are_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigError, match=r"setting 'store_url': .*write a folder, or s3") as caught:
        read_settings(store_url=url)
    assert "hunter2" not in str(caught.value)


def test_the_password_is_not_printed() -> None:
    settings = read_settings(**S3)
    assert "hunter2" not in f"{settings} {settings!r} {settings.model_dump_json()}"
