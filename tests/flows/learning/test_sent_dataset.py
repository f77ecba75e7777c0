"""Zips of strangers: what is read, and what is refused before it does harm."""

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from flows.learning import sent_dataset
from flows.learning.sent_dataset import import_unpacked, unpacked
from streetloop.errors import ConfigError, DatasetError, InputRejected, InputTooLarge
from streetloop.settings import Settings
from tests.support.samples.label_files import write_coco_files, write_image, write_yolo_files
from tests.support.samples.pictures import png_header


def zip_of(folder: Path) -> io.BytesIO:
    """All files of a folder."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    data.seek(0)
    return data


def _zip_of(members: dict[str, bytes]) -> io.BytesIO:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    data.seek(0)
    return data


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def _import(
    settings: Settings, data: io.BytesIO, images: str | None = None, split: str | None = None
) -> dict[str, object]:
    with unpacked(data, settings.home / "uploads") as folder:
        return import_unpacked(settings, folder, images, split)


def test_yolo_and_coco_are_read(settings: Settings, tmp_path: Path) -> None:
    yolo = _import(settings, zip_of(write_yolo_files(tmp_path / "yolo")))
    assert (yolo["images"], yolo["classes"], yolo["splits"], yolo["stored"]) == (1, {"car": 1}, {"val": 1}, 1)
    coco = zip_of(write_coco_files(tmp_path / "coco").parent)
    assert _import(settings, coco, split="train")["splits"] == {"train": 1}
    assert list((settings.home / "uploads").iterdir()) == [], "nothing stays"


def test_a_dataset_may_lie_in_a_folder_of_the_zip_as_roboflow_and_macos_have_it(
    settings: Settings, tmp_path: Path
) -> None:
    write_yolo_files(
        tmp_path / "a/set", content="val: ../valid/images\nnames: [car]\n", image="valid/images/a.png"
    )
    shadow = tmp_path / "a/__MACOSX/set/data.yaml"
    shadow.parent.mkdir(parents=True)
    shadow.write_bytes(b"\0\5\26\7")
    assert _import(settings, zip_of(tmp_path / "a"))["images"] == 1


@pytest.mark.parametrize("path", ["/home/ann/datasets/street", "../datasets/street"])
def test_a_path_of_the_machine_that_it_was_written_on_is_passed_over(
    settings: Settings, tmp_path: Path, path: str
) -> None:
    content = f"path: {path}\nval: images\nnames: [car]\n"
    found = _import(settings, zip_of(write_yolo_files(tmp_path / "yolo", content=content)))
    assert found["images"] == 1
    said = "a 'path' that leads out of the dataset is passed over: 1, the first in data.yaml"
    assert found["notes"] == [said]


def test_the_folder_of_images_is_one_of_the_zip(settings: Settings, tmp_path: Path) -> None:
    path = write_coco_files(tmp_path / "coco", image="far/away/a.png")
    assert _import(settings, zip_of(path.parent), images="far/away")["images"] == 1
    for name in ("nowhere", "../..", "/etc"):
        with pytest.raises(ConfigError, match="the zip has no folder"):
            _import(settings, zip_of(path.parent), images=name)


@pytest.mark.parametrize(
    "content",
    [
        "path: /\nval: etc\nnames: [car]\n",
        "path: ../..\nval: outside/images\nnames: [car]\n",
        "val: {outside}\nnames: [car]\n",
        "val: ../../../outside\nnames: [car]\n",
        "val: list.txt\nnames: [car]\n",
    ],
)
def test_a_data_yaml_reads_nothing_outside_of_the_zip(
    settings: Settings, tmp_path: Path, content: str
) -> None:
    outside = write_image(settings.home / "outside/images/a.png")
    folder = write_yolo_files(tmp_path / "yolo", content=content.format(outside=outside.parent))
    (folder / "list.txt").write_text(f"{outside}\n")
    with pytest.raises(DatasetError) as refused:
        _import(settings, zip_of(folder))
    assert not (settings.home / "store").exists()
    assert str(settings.home / "uploads") not in str(refused.value), "no path of the server"


@pytest.mark.parametrize(
    "name",
    ["../a.txt", "a/../../b.txt", "/etc/passwd", "a\\..\\b.txt", "a\nb.txt", "x" * 300, "d/" * 600 + "a"],
)
def test_a_member_that_leads_out_or_is_odd_is_refused(settings: Settings, name: str) -> None:
    with pytest.raises(InputRejected, match="leads out of it or has an odd name"):
        _import(settings, _zip_of({"data.yaml": b"", name: b"x"}))
    assert [path.name for path in settings.home.parent.iterdir()] == ["home"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(settings: Settings, kind: int) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        member = zipfile.ZipInfo("images")
        member.external_attr = (kind | 0o777) << 16
        archive.writestr(member, "/etc")
    with pytest.raises(InputRejected, match="a link or a device, 'images'"):
        _import(settings, data)


@pytest.mark.parametrize(
    ("members", "limit", "value", "words"),
    [
        ({f"{n}.txt": b"" for n in range(5)}, "MAX_MEMBERS", 4, "more than 4 members"),
        ({"a.png": b"0" * 3_000_000}, "MAX_UNPACKED_BYTES", 2**21, "the zip unpacks to more than 2 MB"),
        ({"a.txt": b"0" * 3_000_000}, "MAX_LABEL_BYTES", 2**21, "'a.txt' unpacks to more than 2 MB"),
    ],
)
def test_what_unpacks_to_too_much_is_refused(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    members: dict[str, bytes],
    limit: str,
    value: int,
    words: str,
) -> None:
    monkeypatch.setattr(sent_dataset, limit, value)
    with pytest.raises(InputTooLarge, match=words):
        _import(settings, _zip_of(members))


def test_a_length_that_lies_is_not_believed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sent_dataset, "MAX_UNPACKED_BYTES", 2**20)
    data = _zip_of({"a.png": b"0" * 3_000_000}).getvalue()
    lying = io.BytesIO(data.replace(struct.pack("<L", 3_000_000), struct.pack("<L", 9)))
    with pytest.raises(InputRejected):
        _import(settings, lying)


def test_a_directory_that_would_fill_the_memory_is_not_read(settings: Settings) -> None:
    small = _zip_of({"a.txt": b""}).getvalue()
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 1, 1, 2**31, 0, 0)
    with pytest.raises(InputTooLarge, match="members"):
        _import(settings, io.BytesIO(small[:-22] + end))
    with pytest.raises(InputTooLarge, match="64-bit"):
        _import(settings, io.BytesIO(small[:-22] + b"PK\6\7" + bytes(16) + small[-22:]))


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\5\6", b"PK\3\4" + bytes(50)])
def test_what_is_no_zip_is_refused(settings: Settings, data: bytes) -> None:
    with pytest.raises(InputRejected, match="the zip cannot be read"):
        _import(settings, io.BytesIO(data))


def test_a_damaged_zip_is_refused(settings: Settings, tmp_path: Path) -> None:
    data = bytearray(zip_of(write_yolo_files(tmp_path / "yolo")).getvalue())
    data[200:400] = bytes(200)
    with pytest.raises(InputRejected):
        _import(settings, io.BytesIO(bytes(data)))


def test_a_name_that_is_there_twice_is_refused(settings: Settings) -> None:
    with pytest.raises(InputRejected, match="'a/b' twice, or a file in the place of a folder"):
        _import(settings, _zip_of({"a": b"", "a/b": b""}))


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"a.txt": b""}, "neither a data.yaml of YOLO nor a JSON of COCO"),
        ({"a.json": b"{}", "b.json": b"{}"}, r"2 files that may be the dataset \(a.json, b.json\)"),
        ({"data.yaml": b"- 1"}, "^data.yaml"),
        ({"a.json": b"[" * 99999}, "^a.json: is not JSON"),
    ],
)
def test_what_is_no_dataset_is_said(settings: Settings, members: dict[str, bytes], words: str) -> None:
    with pytest.raises(DatasetError, match=words):
        _import(settings, _zip_of(members))


def test_an_image_that_claims_too_much_is_never_decoded(settings: Settings, tmp_path: Path) -> None:
    folder = write_yolo_files(tmp_path / "yolo")
    (folder / "images/b.png").write_bytes(png_header(30_000, 30_000))
    with pytest.raises(InputTooLarge, match=r"'images/b.png' claims more than 50 million pixels"):
        _import(settings, zip_of(folder))


def test_options_of_coco_are_refused_for_yolo(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"its data.yaml says both"):
        _import(settings, zip_of(write_yolo_files(tmp_path / "yolo")), split="val")
    with pytest.raises(ConfigError, match="there is no split 'night'"):
        _import(settings, zip_of(write_coco_files(tmp_path / "coco").parent), split="night")
