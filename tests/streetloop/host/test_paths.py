import errno
import os
import socket
from pathlib import Path

import pytest

from streetloop.errors import ConfigError, ModelNotFound
from streetloop.host.paths import PathKind, is_file, is_folder, kind_of, refuse_address


def test_what_is_at_a_path(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "door"))
    names = ("file", "link", "pipe", "door", ".", "nowhere", "dangling", "file/below", "a\0b")
    kinds = [kind_of(tmp_path / name, ConfigError) for name in names]
    nothing = [PathKind.NOTHING] * 4
    assert kinds == [*[PathKind.FILE] * 2, *[PathKind.SPECIAL] * 2, PathKind.FOLDER, *nothing]
    assert is_file(tmp_path / "file", ConfigError)
    assert not is_file(tmp_path, ConfigError)
    assert is_folder(tmp_path, ConfigError)


def test_a_path_that_cannot_be_looked_at_is_refused_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelNotFound, match="nnn: cannot be read: File name too long"):
        kind_of(tmp_path / ("n" * 300), ModelNotFound)

    def locked(self: Path) -> os.stat_result:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(Path, "stat", locked)  # root, as whom tests may run, is let in everywhere
    with pytest.raises(ConfigError, match=r"^/root/m\.onnx: cannot be read: Permission denied"):
        is_file(Path("/root/m.onnx"), ConfigError)


@pytest.mark.parametrize(
    "name", ["a.yaml", "/a/b:c/d@e", "C:/a", "a/b:c@d", "kamera ü.yaml", "a@2026-03-02T00:00", "~/a", "."]
)
def test_a_path_is_no_address(name: str) -> None:
    refuse_address(name, "FILE", "give another")
