"""A dataset that comes as a zip from a stranger: bounded, and nothing of it leads out."""

import contextlib
import os
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from PIL import Image as PillowImage
from PIL import UnidentifiedImageError

from flows.learning.dataset_catalog import store_dataset
from streetloop.errors import ConfigError, DatasetError, InputRejected, InputTooLarge, StoreError
from streetloop.settings import Settings
from train.data.dataset import SPLITS
from train.data.formats import ImportedDataset, read_coco, read_yolo
from train.data.formats.yolo import IMAGES

MAX_MEMBERS = 20_000
MAX_UNPACKED_BYTES = 2 * 2**30
MAX_LABEL_BYTES = 256 * 2**20
"""Of a file that is no image."""

MAX_PIXELS = 50_000_000
"""Of an image, by its header."""

_CHUNK = 2**20
_MAX_NAME = 1000  # bytes
_MAX_ENTRY = 46 + 2 * _MAX_NAME  # of the directory of a zip
_END = struct.Struct("<4sHHHHLLH")  # the end of its directory
_END_MARK, _END64_MARK = b"PK\5\6", b"PK\6\7"
_MAX_END = _END.size + 2**16  # with its comment


@contextlib.contextmanager
def unpacked(archive: BinaryIO, home: Path) -> Iterator[Path]:
    """The files of a zip in a folder, for the ``with`` block.

    Args:
        archive: The zip; it can seek.
        home: Where the folder is made; what a killed process left in it is removed.

    Raises:
        InputRejected: It is no zip, or a member is encrypted, a link, or leads out of it.
        InputTooLarge: It has more than `MAX_MEMBERS`, or unpacks to more than
            `MAX_UNPACKED_BYTES`.
        StoreError: The home cannot be written.
    """
    _refuse_large_directory(archive)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=home) as folder:
        target = Path(folder) / "dataset"
        target.mkdir()
        try:
            with zipfile.ZipFile(archive) as opened:
                _unpack(opened, target)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise InputRejected(f"the zip cannot be read: {error}") from error
        except OSError as error:
            raise StoreError(f"the zip cannot be unpacked into the home: {error.strerror}") from error
        yield target


def import_unpacked(
    settings: Settings, folder: Path, images: str | None, split: str | None
) -> dict[str, Any]:
    """Read the dataset of an unpacked zip into the object store.

    Args:
        settings: Where the object store is.
        folder: The files.
        images: See `streetloop.control.evaluation_control.EvaluationControl.import_archive`.
        split: See there.

    Returns:
        As `flows.learning.dataset_catalog.import_dataset` does.

    Raises:
        ConfigError: There is no such folder of images or split, or YOLO's files say both.
        DatasetError: There is no dataset, or one that cannot be read; no path of this machine is in
            the message.
        InputTooLarge: An image claims more than `MAX_PIXELS`.
    """
    _refuse_large_images(folder)
    try:
        summary = store_dataset(settings, _read(folder, images, split))
    except DatasetError as error:
        raise DatasetError(_without(folder, str(error))) from None
    return {**summary, "notes": [_without(folder, note) for note in summary["notes"]]}


def _without(folder: Path, sentence: str) -> str:
    """A sentence with paths within the zip."""
    return sentence.replace(f"{folder.resolve()}/", "").replace(f"{folder}/", "")


def _refuse_large_directory(archive: BinaryIO) -> None:
    """Look at the end of a zip, before all names in it are read into memory."""
    length = archive.seek(0, os.SEEK_END)
    archive.seek(max(0, length - _MAX_END))
    tail = archive.read()
    archive.seek(0)
    plain = len(tail) - _END.size
    is_plain = plain >= 0 and tail[plain:].startswith(_END_MARK) and tail.endswith(b"\0\0")
    start = plain if is_plain else tail.rfind(_END_MARK)
    if start < 0 or len(tail) - start < _END.size:
        raise InputRejected("the zip cannot be read: it is no zip, or lacks its end")
    members, size = _END.unpack_from(tail, start)[4:6]
    if _END64_MARK in tail[:start] or members > MAX_MEMBERS or size > MAX_MEMBERS * _MAX_ENTRY:
        raise InputTooLarge(f"the zip has more than {MAX_MEMBERS} members, or is of the 64-bit form")


def _unpack(archive: zipfile.ZipFile, target: Path) -> None:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise InputTooLarge(f"the zip has more than {MAX_MEMBERS} members")
    for member in members:
        _refuse_odd(member)
    left = MAX_UNPACKED_BYTES
    for member in members:
        if not member.is_dir():
            left -= _copy(archive, member, target / member.filename, left)


def _refuse_odd(member: zipfile.ZipInfo) -> None:
    name = member.filename
    shown = repr(name[:100])
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise InputRejected(f"the zip has a link or a device, {shown}; send files alone")
    parts = PurePosixPath(name).parts
    odd = "\\" in name or len(name.encode(errors="replace")) > _MAX_NAME or any(map(_is_odd, parts))
    if not parts or name.startswith("/") or ".." in parts or odd:
        raise InputRejected(f"the zip has a member that leads out of it or has an odd name, {shown}")


def _is_odd(part: str) -> bool:
    return len(part.encode(errors="replace")) > 255 or not part.isprintable()


def _copy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, left: int) -> int:
    """Unpack a member; its length, which is counted and not believed."""
    most = left if path.suffix.lower() in IMAGES else min(left, MAX_LABEL_BYTES)
    written = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, path.open("xb") as file:
            while chunk := source.read(_CHUNK):
                written += len(chunk)
                if written > most:
                    what = "the zip" if most == left else f"{member.filename[:100]!r}"
                    raise InputTooLarge(f"{what} unpacks to more than {most >> 20} MB")
                file.write(chunk)
    except (FileExistsError, NotADirectoryError) as error:
        name = member.filename[:100]
        raise InputRejected(f"the zip has {name!r} twice, or a file in the place of a folder") from error
    return written


def _read(folder: Path, images: str | None, split: str | None) -> ImportedDataset:
    yamls = _named(folder, "data.yaml") or _named(folder, "*.yaml") or _named(folder, "*.yml")
    if yamls:
        if images is not None or split is not None:
            raise ConfigError("images and split are not for YOLO: its data.yaml says both")
        return read_yolo(_only(yamls, folder), within=folder)
    jsons = _named(folder, "*.json")
    if not jsons:
        raise DatasetError("the zip has neither a data.yaml of YOLO nor a JSON of COCO")
    if split is not None and split not in SPLITS:
        raise ConfigError(f"there is no split {split[:40]!r}; splits are {', '.join(SPLITS)}")
    return read_coco(_only(jsons, folder), _images_in(folder, images), split)


def _images_in(folder: Path, name: str | None) -> Path | None:
    if name is None:
        return None
    found = (folder / name).resolve()
    if not found.is_relative_to(folder.resolve()) or not found.is_dir():
        raise ConfigError(f"the zip has no folder {name[:100]!r}")
    return found


def _named(folder: Path, pattern: str) -> list[Path]:
    """Files of that name; macOS puts a shadow of each file into folders of its own."""
    return sorted(path for path in folder.rglob(pattern) if "__MACOSX" not in path.parts and path.is_file())


def _only(found: list[Path], folder: Path) -> Path:
    if len(found) > 1:
        names = ", ".join(str(path.relative_to(folder)) for path in found[:3])
        raise DatasetError(f"the zip has {len(found)} files that may be the dataset ({names}); send one")
    return found[0]


def _refuse_large_images(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.suffix.lower() not in IMAGES or not path.is_file():
            continue
        try:
            with PillowImage.open(path) as header:
                width, height = header.size
        except PillowImage.DecompressionBombError:
            width, height = MAX_PIXELS, 2
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError, ImportError):
            continue  # the reader says so, if the dataset names it
        if width * height > MAX_PIXELS:
            name = str(path.relative_to(folder))[:100]
            raise InputTooLarge(f"{name!r} claims more than {MAX_PIXELS // 1_000_000} million pixels")
