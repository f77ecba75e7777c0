"""A home is backed up while it is written to, and restored elsewhere."""

import errno
import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.backup import backup as backup_module
from flows.backup import restore as restore_module
from flows.backup.backup import BLOBS, back_up
from flows.backup.blobs import Blobs
from flows.backup.manifest import read_manifest
from flows.backup.restore import restore
from streetloop.errors import BackupError, ConfigError
from streetloop.host.home import lock_home
from streetloop.ledger import open_ledger
from streetloop.ledger.events import begin_event, list_events
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore
from tests.support.control_service import Content, register_versions
from tests.support.samples.frames import NOON
from tests.support.samples.tiny_model import NAMES
from train.model.find_model import find_model


@pytest.fixture
def content(tmp_path: Path) -> Iterator[Content]:
    """A home with events and labels, whose ledger is open, as that of a running system."""
    content = Content(tmp_path / "old home")
    content.add_events()
    content.add_reviews()
    yield content
    content.ledger.close()


@pytest.fixture
def away(tmp_path: Path) -> Path:
    return tmp_path / "away"


@pytest.fixture
def there(tmp_path: Path) -> Settings:
    """The settings of another machine."""
    return Settings(home=tmp_path / "new" / "home")


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_restored_home_opens_models_lineage_and_labels(
    content: Content, away: Path, there: Settings
) -> None:
    register_versions(content)
    (content.settings.home / "tiny.onnx").unlink()
    back_up(content.settings, away)
    events, labels = list_events(content.ledger), content.service.label_report()
    models, lineage = content.service.models(), content.service.lineage("2")
    content.ledger.close()
    content.settings.home.rename(away.parent / "gone")  # nothing may lead back to it
    restore(away, there)
    restored = Content(there.home)
    assert list_events(restored.ledger) == events
    assert restored.service.label_report() == labels
    assert restored.service.models() == models
    assert restored.service.lineage("2") == lineage
    assert find_model("champion", there).names == NAMES
    restored.ledger.close()


def test_the_store_is_the_same_with_its_times(content: Content, away: Path, there: Settings) -> None:
    content.add_minutes()
    back_up(content.settings, away)
    restore(away, there)
    assert sorted(FolderStore(there.store).objects()) == sorted(content.store.objects())
    assert everything(there.store) == everything(content.settings.store)


def test_a_second_backup_copies_only_what_is_new(content: Content, away: Path) -> None:
    first = back_up(content.settings, away)
    assert first.copied > 1
    content.store.put("frames/new.jpg", b"new")
    content.store.delete(next(content.store.keys("frames/")))
    blobs = {path: path.stat().st_mtime_ns for path in (away / BLOBS).rglob("*") if path.is_file()}
    second = back_up(content.settings, away)
    assert (second.files, second.copied, second.copied_bytes) == (first.files, 1, 3)
    now = {path: path.stat().st_mtime_ns for path in (away / BLOBS).rglob("*") if path.is_file()}
    assert len(now) == len(blobs), "what was deleted is gone"
    assert all(now[path] == made for path, made in blobs.items() if path in now), "nothing is written twice"


def test_an_object_that_was_replaced_is_copied_again(content: Content, away: Path, there: Settings) -> None:
    content.store.put("logs/a", b"one")
    back_up(content.settings, away)
    content.store.put("logs/a", b"two, longer")
    back_up(content.settings, away)
    restore(away, there)
    assert FolderStore(there.store).get("logs/a") == b"two, longer"


def test_a_writer_goes_on_and_the_copy_is_of_one_moment(
    content: Content, away: Path, there: Settings
) -> None:
    """Each event names a frame that was stored before it."""
    stop, written = threading.Event(), list[int]()
    ledger = open_ledger(content.settings.ledger)

    def write() -> None:
        while not stop.is_set():
            number = len(written)
            content.store.put(f"frames/{number}.jpg", b"%d" % number)
            begin_event(ledger, "drift", NOON, f"camera-{number}", detail={"frame": number})
            written.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(written) < 5:
            stop.wait(0.01)
        before = len(written)
        back_up(content.settings, away)
    finally:
        stop.set()
        writer.join()
    ledger.close()
    restore(away, there)
    restored = open_ledger(there.ledger)
    frames = sorted(
        e.detail["frame"] for e in list_events(restored, most=10**6) if e.camera_id.startswith("camera-")
    )
    restored.close()
    assert frames == list(range(len(frames)))
    assert len(frames) >= before
    store = FolderStore(there.store)
    assert all(store.get(f"frames/{number}.jpg") == b"%d" % number for number in frames)


def test_a_system_that_runs_is_backed_up(content: Content, away: Path) -> None:
    with lock_home(content.settings.home):
        assert back_up(content.settings, away).files > 1


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_changed_byte_is_refused_whatever_it_is_in(content: Content, away: Path, there: Settings) -> None:
    back_up(content.settings, away)
    for path in [*away.glob(f"{BLOBS}/*/*"), away / "manifest.json"]:
        _flip(path)
        with pytest.raises(BackupError, match="was changed, or is damaged"):
            restore(away, there)
        _flip(path)
        assert not there.home.exists()
    next(away.glob(f"{BLOBS}/*/*")).unlink()
    with pytest.raises(BackupError, match="nothing was restored"):
        restore(away, there)


def test_a_path_out_of_the_home_is_refused(content: Content, away: Path, there: Settings) -> None:
    """A manifest that somebody wrote, with its digest."""
    back_up(content.settings, away)
    sealed = json.loads((away / "manifest.json").read_text())
    text = sealed["manifest"].replace('"ledger.db"', '"store/../../x"')
    digest = hashlib.sha256(text.encode()).hexdigest()
    (away / "manifest.json").write_text(json.dumps({"sha256": digest, "manifest": text}))
    with pytest.raises(BackupError, match="was changed"):
        restore(away, there)


def test_a_home_that_is_not_empty_is_refused(content: Content, away: Path) -> None:
    back_up(content.settings, away)
    before = everything(content.settings.home / "store")
    with pytest.raises(ConfigError, match="is not empty"):
        restore(away, content.settings)
    assert everything(content.settings.home / "store") == before


def test_an_empty_home_and_one_that_a_killed_restore_left_are_filled(
    content: Content, away: Path, there: Settings
) -> None:
    back_up(content.settings, away)
    (there.home / ".restoring" / "store").mkdir(parents=True)
    (there.home / ".restoring" / "store" / "half").write_bytes(b"half")
    restore(away, there)
    assert {one.name for one in there.home.iterdir()} == {"ledger.db", "store", "running"}
    assert not (there.store / "half").exists()


def _full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("existed", [True, False])
def test_a_disk_that_is_full_leaves_the_home_as_it_was(
    content: Content, away: Path, there: Settings, existed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(content.settings, away)
    if existed:
        there.home.mkdir(parents=True)
    monkeypatch.setattr(restore_module.os, "utime", _full)
    with pytest.raises(BackupError, match="cannot be restored: No space left on device"):
        restore(away, there)
    assert there.home.exists() == existed
    assert not existed or not list(there.home.iterdir())


def test_a_full_disk_keeps_the_backup_before(
    content: Content, away: Path, there: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    content.store.put("frames/old.jpg", b"old")
    back_up(content.settings, away)
    content.store.put("frames/new.jpg", b"new")
    with monkeypatch.context() as patched:
        patched.setattr(Blobs, "add", _full)
        with pytest.raises(BackupError, match="No space left on device; the backup before it is whole"):
            back_up(content.settings, away)
    restore(away, there)
    assert FolderStore(there.store).get("frames/old.jpg") == b"old"


def test_a_folder_that_cannot_be_written_is_one_sentence(content: Content, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ConfigError, match=r"file/away: cannot be written: Not a directory; name another"):
        back_up(content.settings, tmp_path / "file" / "away")


@pytest.mark.parametrize("where", ["store/backup", "backup", "."])
def test_a_folder_within_the_home_is_refused(content: Content, where: str) -> None:
    with pytest.raises(ConfigError, match="name a folder elsewhere"):
        back_up(content.settings, content.settings.home / where)


def test_a_folder_with_other_files_is_refused(content: Content, away: Path) -> None:
    away.mkdir()
    (away / "letters.txt").write_text("dear")
    with pytest.raises(ConfigError, match="holds other files"):
        back_up(content.settings, away)
    with pytest.raises(ConfigError, match="holds no backup"):
        restore(away, Settings(home=away.parent / "x"))


def test_two_backups_at_once_are_refused(content: Content, away: Path) -> None:
    with backup_module._locked(away), pytest.raises(ConfigError, match="another backup writes to it"):
        back_up(content.settings, away)


def test_a_ledger_in_postgresql_is_for_pg_dump(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, ledger_url="postgresql+psycopg://u:hunter2@h/x")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="pg_dump") as refused:
        back_up(settings, tmp_path / "away")
    assert "hunter2" not in str(refused.value)


def test_a_home_without_anything_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no ledger to back up"):
        back_up(Settings(home=tmp_path / "home"), tmp_path / "away")
    assert not (tmp_path / "away").exists()


def test_settings_are_kept_and_secrets_are_not(tmp_path: Path) -> None:
    secret: dict[str, Any] = {"api_token": "hunter2", "llm_key": "hunter3"}
    content = Content(tmp_path / "home", max_batch=4, llm_url="https://me:hunter4@llm/v1", **secret)
    back_up(content.settings, tmp_path / "away")
    content.ledger.close()
    manifest = read_manifest(tmp_path / "away")
    assert manifest.settings["max_batch"] == 4
    assert manifest.secrets == ("api_token", "llm_key")
    assert "hunter" not in (tmp_path / "away" / "manifest.json").read_text()


def test_what_is_in_the_backup_is_for_its_owner_only(content: Content, away: Path) -> None:
    back_up(content.settings, away)
    assert away.stat().st_mode & 0o777 == 0o700
    assert {p.stat().st_mode & 0o777 for p in away.glob(f"{BLOBS}/*/*")} == {0o600}


def test_objects_go_to_the_store_that_is_named(content: Content, away: Path, tmp_path: Path) -> None:
    back_up(content.settings, away)
    there = Settings(home=tmp_path / "new", store_url=str(tmp_path / "shared"))
    restore(away, there)
    assert everything(tmp_path / "shared") == everything(content.settings.store)
    assert not there.store.exists()
    key = next(content.store.keys())
    FolderStore(tmp_path / "shared").put(key, b"another")
    with pytest.raises(BackupError, match="has another object under"):
        restore(away, Settings(home=tmp_path / "newer", store_url=str(tmp_path / "shared")))
    assert not (tmp_path / "newer").exists()
