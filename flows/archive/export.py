"""A recorded stretch as one MP4, with a manifest that says what it is."""

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flows.archive.export_look import ExportLook
from streetloop.drawing.anonymise import HEADS_AND_PLATES
from streetloop.errors import ConfigError, NotFound, StoreError
from streetloop.host.files import write_whole
from streetloop.host.paths import is_folder
from streetloop.ledger.segments import Segment
from streetloop.storage.store import ObjectStore
from streetloop.types import Image
from streetloop.video import Part, VideoReader, VideoWriter, can_join, has_sound, join

_PERIOD_S = 0.04


@dataclass(frozen=True, slots=True)
class ExportedPart:
    """A stretch of an export.

    Attributes:
        at_s: Where it begins in the exported file, in seconds.
        start: When its first picture was captured (UTC).
        end: When its last one ends.
        key: The segment that it is of.
        sha256: SHA-256 of that segment as it was recorded.
    """

    at_s: float
    start: datetime
    end: datetime
    key: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        path: The video.
        manifest: What it is, as the file beside it has it.
    """

    path: Path
    manifest: dict[str, Any]


def export_stretch(
    store: ObjectStore,
    segments: Sequence[Segment],
    start: datetime,
    end: datetime,
    out: Path,
    *,
    boxes: bool = False,
    anonymise: bool = False,
) -> Exported:
    """Write a stretch as one MP4, and its manifest as JSON beside it.

    Packets are kept as they are if one decoder can play them all; the stretch then begins at the
    key frame before ``start``. Otherwise, and with boxes or blurred, pictures are encoded again,
    from ``start`` on, without sound. Gaps are left out; the manifest has the time of every part.

    Args:
        store: Has the segments.
        segments: Those of one camera that overlap the stretch, in order of time.
        start: Its begin (UTC).
        end: Its end (UTC).
        out: The file; its suffix is ``.mp4``.
        boxes: Draw the boxes that the detection log has.
        anonymise: Blur heads and plates, see `PictureBlur`.

    Raises:
        NotFound: There are no segments.
        ConfigError: The file cannot be written.
        StoreError: A segment cannot be read, or is not what was recorded.
    """
    if not segments:
        raise NotFound("nothing was recorded in this time")
    _refuse_bad_path(out)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as name:
        folder, whole = Path(name), Path(name) / "out.mp4"
        files = [_fetched(store, segment, folder) for segment in segments]
        is_kept = not boxes and not anonymise and can_join(files)
        parts = _kept(segments, files, start, end, whole) if is_kept else []
        if not parts:
            is_kept = False
            look = ExportLook(store, boxes=boxes, anonymise=anonymise)
            parts = _encoded(look, segments, files, start, end, whole)
        if not parts:
            raise NotFound("no picture was recorded in this time")
        manifest = _manifest(segments[0].camera_id, start, end, out, whole, parts)
        manifest |= {"boxes": boxes, "encoded_again": not is_kept, "sound": has_sound(whole)}
        manifest["anonymised"] = HEADS_AND_PLATES if anonymise else None
        with _told(out):
            whole.replace(out)
            write_whole(out.with_suffix(".json"), json.dumps(manifest, indent=2) + "\n")
    return Exported(out, manifest)


def _refuse_bad_path(out: Path) -> None:
    if out.suffix != ".mp4":
        raise ConfigError(f"{out}: the export is an MP4; name a file that ends in .mp4")
    if not is_folder(out.parent, ConfigError):
        raise ConfigError(f"{out}: cannot be written: there is no folder {out.parent}")


@contextlib.contextmanager
def _told(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written: {error.strerror}") from error


def _fetched(store: ObjectStore, segment: Segment, folder: Path) -> Path:
    data = store.get(segment.key)
    if hashlib.sha256(data).hexdigest() != segment.sha256:
        raise StoreError(f"{segment.key} is not what was recorded: its SHA-256 differs")
    path = folder / f"{len(list(folder.iterdir()))}.mp4"
    with _told(path):
        path.write_bytes(data)
    return path


def _kept(
    segments: Sequence[Segment], files: Sequence[Path], start: datetime, end: datetime, out: Path
) -> list[ExportedPart]:
    wanted = [
        Part(path, _second(segment, start), _second(segment, end))
        for segment, path in zip(segments, files, strict=True)
    ]
    joined = join(wanted, out)
    return [
        ExportedPart(
            one.at_s,
            segment.started_at + timedelta(seconds=one.start_s),
            segment.started_at + timedelta(seconds=one.end_s),
            segment.key,
            segment.sha256,
        )
        for segment, one in zip(segments, joined, strict=True)
        if one.end_s > one.start_s
    ]


def _encoded(
    look: ExportLook,
    segments: Sequence[Segment],
    files: Sequence[Path],
    start: datetime,
    end: datetime,
    out: Path,
) -> list[ExportedPart]:
    parts: list[ExportedPart] = []
    at_s = 0.0
    with VideoWriter(out, crf=20) as writer:
        for segment, path in zip(segments, files, strict=True):
            shown = look.of(segment)
            first = last = None
            for second, image in _pictures(path, _second(segment, start), _second(segment, end)):
                first = second if first is None else first
                writer.write(shown(image, second), at_s + second - first)
                last = second
            if first is None or last is None:
                continue
            begin, until = (segment.started_at + timedelta(seconds=s) for s in (first, last + _PERIOD_S))
            parts.append(ExportedPart(at_s, begin, until, segment.key, segment.sha256))
            at_s += last - first + _PERIOD_S
    return parts


def _pictures(path: Path, start_s: float, end_s: float) -> Iterator[tuple[float, Image]]:
    with VideoReader(str(path), path.name) as reader:
        for time_s, picture in reader.pictures():
            if time_s is not None and start_s - 1e-6 <= time_s < end_s:
                yield time_s, picture.bgr()


def _second(segment: Segment, moment: datetime) -> float:
    return max(0.0, (moment - segment.started_at).total_seconds())


def _manifest(
    camera_id: str, start: datetime, end: datetime, out: Path, file: Path, parts: Sequence[ExportedPart]
) -> dict[str, Any]:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        for block in iter(lambda: content.read(2**20), b""):
            digest.update(block)
    return {
        "camera_id": camera_id,
        "from": start.isoformat(),
        "to": end.isoformat(),
        "file": out.name,
        "bytes": file.stat().st_size,
        "sha256": digest.hexdigest(),
        "parts": [
            {
                "at_s": round(part.at_s, 3),
                "start": part.start.isoformat(),
                "end": part.end.isoformat(),
                "key": part.key,
                "sha256": part.sha256,
            }
            for part in parts
        ],
    }
