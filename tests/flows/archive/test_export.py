import hashlib
import json
import uuid
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from flows.archive.export import Exported, export_stretch
from flows.stream.ingest.accounting import Fate, SettledFrame
from flows.stream.sinks.detection_log import DetectionLog
from flows.stream.sinks.frame_log import FrameLog
from streetloop.clock import SystemClock
from streetloop.errors import ConfigError, NotFound, StoreError
from streetloop.ledger.segments import Segment
from streetloop.storage.store import FolderStore
from streetloop.video import VideoReader
from tests.support.samples.odd_clips import quarters, steady, write_stamped
from tests.support.samples.sounds import clip_with_sound, sounds_of
from tests.support.stream_flow.build import NOON, found, frame, result
from tests.support.stream_flow.recorded import packets_of, times_in


class _Archive:
    """Segments of four seconds at 25 frames a second, with a key frame each second."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = FolderStore(folder / "store")
        self.segments: list[Segment] = []

    def add(self, at_s: float, size: tuple[int, int] = (96, 64), recorded: Path | None = None) -> Segment:
        path = recorded or write_stamped(
            self.folder / f"{uuid.uuid4().hex}.mp4", steady(100, 25), lambda k: quarters(k, *size), fps=25
        )
        data = path.read_bytes()
        start = NOON + timedelta(seconds=at_s)
        segment = Segment(
            key=f"archive/{path.name}",
            camera_id="a",
            started_at=start,
            ended_at=start + timedelta(seconds=4),
            bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            codec="h264",
            width=size[0],
            height=size[1],
            run="r",
            frame_id=round(at_s * 25),
            pts_offset=at_s,
        )
        self.store.put(segment.key, data)
        self.segments.append(segment)
        return segment

    def export(
        self, start_s: float, end_s: float, *, boxes: bool = False, anonymise: bool = False
    ) -> Exported:
        start, end = (NOON + timedelta(seconds=s) for s in (start_s, end_s))
        overlapping = [one for one in self.segments if one.started_at < end and one.ended_at > start]
        out = self.folder / "out.mp4"
        return export_stretch(self.store, overlapping, start, end, out, boxes=boxes, anonymise=anonymise)


@pytest.fixture
def archive(tmp_path: Path) -> _Archive:
    return _Archive(tmp_path)


def test_a_stretch_over_two_segments_and_a_gap_is_one_file_of_the_cameras_own_packets(
    archive: _Archive,
) -> None:
    archive.add(0)
    archive.add(10)
    exported = archive.export(2.5, 12)
    times = times_in(exported.path)
    # From the key frame at second 2, and two seconds of the next segment.
    assert len(times) == 100
    assert times == pytest.approx([k / 25 for k in range(100)], abs=1e-3)
    own = [p[2] for one in archive.segments for p in packets_of(_copy(archive, one))]
    assert [p[2] for p in packets_of(exported.path)] == [*own[50:100], *own[100:150]]
    manifest = json.loads(exported.path.with_suffix(".json").read_text())
    assert manifest == exported.manifest
    assert manifest["sha256"] == hashlib.sha256(exported.path.read_bytes()).hexdigest()
    assert (manifest["encoded_again"], manifest["boxes"]) == (False, False)
    starts = [(part["at_s"], part["start"], part["key"]) for part in manifest["parts"]]
    assert starts == [
        (0.0, (NOON + timedelta(seconds=2)).isoformat(), archive.segments[0].key),
        (2.0, (NOON + timedelta(seconds=10)).isoformat(), archive.segments[1].key),
    ]


def test_segments_of_other_sizes_are_encoded_again(archive: _Archive) -> None:
    archive.add(0)
    archive.add(4, size=(160, 96))
    exported = archive.export(2.5, 6)
    assert exported.manifest["encoded_again"]
    assert len(times_in(exported.path)) == 37 + 50
    assert [part["at_s"] for part in exported.manifest["parts"]] == [0.0, 1.48]


def test_boxes_of_the_log_are_drawn(archive: _Archive) -> None:
    archive.add(0, size=(640, 384))
    log = DetectionLog(archive.store, "detections/run=r", "w-0", ["a"], ("car",), 1e9, SystemClock())
    frames = FrameLog(archive.store, "frames/run=r", "w-0", 1e9)
    for k in range(50):
        seen = frame(k)
        log.take(result(seen, found((100, 100, 300, 250)), [1]))
        frames.add(SettledFrame("a", k, seen.pts, seen.captured_at, Fate.DETECTED, None, "v", "b"))
    log.close()
    frames.close()
    plain, drawn = (_picture(archive.export(1, 1.1, boxes=boxes).path) for boxes in (False, True))
    differs = np.abs(plain.astype(int) - drawn).max(axis=2) > 60
    assert differs[95:255, 95:305].any()
    assert not differs[260:, 310:].any()


def test_heads_and_plates_are_blurred_where_they_were_before_and_after(archive: _Archive) -> None:
    archive.add(0, size=(640, 384))
    names = ("person", "car")
    log = DetectionLog(archive.store, "detections/run=r", "w-0", ["a"], names, 1e9, SystemClock())
    frames = FrameLog(archive.store, "frames/run=r", "w-0", 1e9)
    for k, box in ((0, (100, 100, 200, 350)), (50, (300, 100, 400, 350))):
        seen = frame(k)
        log.take(result(seen, found(box), [1]))
        frames.add(SettledFrame("a", k, seen.pts, seen.captured_at, Fate.DETECTED, None, "v", "b"))
    log.close()
    frames.close()
    exported = archive.export(1, 1.1, anonymise=True)
    assert exported.manifest["anonymised"] == "heads_and_plates"
    assert exported.manifest["encoded_again"]
    plain, blurred = _picture(archive.export(1, 1.1).path), _picture(exported.path)
    differs = np.abs(plain.astype(int) - blurred).max(axis=2) > 40
    # The moving bar is in both heads, and below neither.
    assert not differs[:, 410:].any()
    assert not differs[182:, :].any()
    assert exported.manifest["parts"][0]["start"] == (NOON + timedelta(seconds=1)).isoformat()


def test_a_picture_far_from_any_that_was_looked_at_is_blurred_as_a_whole(archive: _Archive) -> None:
    archive.add(0, size=(640, 384))
    plain, blurred = (_picture(archive.export(1, 1.1, anonymise=blur).path) for blur in (False, True))
    assert (np.abs(plain.astype(int) - blurred).max(axis=2) > 40).any()
    assert len(np.unique(blurred)) > 20, "edges are smeared"
    assert archive.export(0, 1).manifest["anonymised"] is None


@pytest.mark.parametrize("anonymise", [False, True])
def test_the_manifest_says_whether_there_is_sound_and_what_is_anonymised_has_none(
    archive: _Archive, anonymise: bool
) -> None:
    archive.add(0, (160, 96), clip_with_sound(archive.folder))
    exported = archive.export(0, 2, anonymise=anonymise)
    assert exported.manifest["sound"] is not anonymise
    assert (sounds_of(exported.path)[0] is None) is anonymise


def test_what_cannot_be_is_one_sentence(archive: _Archive, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nothing was recorded"):
        archive.export(0, 1)
    archive.add(0)
    for out, words in ((tmp_path / "x.avi", "ends in .mp4"), (tmp_path / "no" / "x.mp4", "no folder")):
        with pytest.raises(ConfigError, match=words):
            export_stretch(archive.store, archive.segments, NOON, NOON + timedelta(1), out)
    archive.store.put(archive.segments[0].key, b"another")
    with pytest.raises(StoreError, match="SHA-256 differs"):
        archive.export(0, 1)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".export")] == []


def _copy(archive: _Archive, segment: Segment) -> Path:
    path = archive.folder / "copy.mp4"
    path.write_bytes(archive.store.get(segment.key))
    return path


def _picture(path: Path) -> np.ndarray:  # type: ignore[type-arg]
    with VideoReader(str(path), path.name) as reader:
        return next(picture.bgr() for _, picture in reader.pictures())
