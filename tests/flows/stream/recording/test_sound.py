"""Sound in recordings: kept where it is asked for, and nowhere else."""

import subprocess
from pathlib import Path

import pytest

from streetloop.video import Part, join
from tests.support.samples.sounds import clip_with_sound, sounds_of
from tests.support.stream_flow.recorded import record, recorder_of, segments_in, spool_in, times_in


@pytest.mark.parametrize(("codec", "suffix", "kept_as"), [("aac", "mp4", "aac"), ("pcm_mulaw", "mkv", "aac")])
def test_with_audio_each_segment_has_the_sound_of_its_pictures(
    tmp_path: Path, codec: str, suffix: str, kept_as: str
) -> None:
    """As it came, or as AAC where MP4 does not know it."""
    spool = spool_in(tmp_path)
    clip = clip_with_sound(tmp_path, codec, suffix)
    record(recorder_of(spool, segment_s=2), f"file://{clip}?live=0", audio=True, record="continuous")
    found = segments_in(spool)
    assert len(found) == 3
    for video, _ in found:
        name, begin, end, heard = sounds_of(video)
        assert name == kept_as
        assert begin < 0.3
        assert 1.5 < end < 2.5
        assert heard == pytest.approx(440, abs=5)
        assert len(times_in(video)) == 50


@pytest.mark.parametrize("options", [{"audio": False, "record": "continuous"}, {"record": "continuous"}])
def test_without_audio_there_is_none(tmp_path: Path, options: dict[str, object]) -> None:
    spool = spool_in(tmp_path)
    record(recorder_of(spool), f"file://{clip_with_sound(tmp_path)}?live=0", **options)
    ((video, _),) = segments_in(spool)
    assert sounds_of(video)[0] is None
    assert len(times_in(video)) == 150


def test_a_stream_without_sound_is_recorded_all_the_same(tmp_path: Path) -> None:
    silent = tmp_path / "silent.mp4"
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-i", str(clip_with_sound(tmp_path)), "-an"]
    subprocess.run([*command, "-c:v", "copy", str(silent)], check=True)
    spool = spool_in(tmp_path)
    record(recorder_of(spool), f"file://{silent}?live=0", audio=True, record="continuous")
    ((video, _),) = segments_in(spool)
    assert sounds_of(video)[0] is None
    assert len(times_in(video)) == 150


def test_masked_pictures_are_encoded_and_silent(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    mask = [[[0, 0], [0.5, 0], [0.5, 0.5]]]
    clip = clip_with_sound(tmp_path)
    record(recorder_of(spool), f"file://{clip}?live=0", audio=True, record="continuous", mask=mask)
    ((video, _),) = segments_in(spool)
    assert sounds_of(video)[0] is None


def test_an_export_joins_the_sound_of_its_segments(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    clip = clip_with_sound(tmp_path)
    record(recorder_of(spool, segment_s=2), f"file://{clip}?live=0", audio=True, record="continuous")
    videos = [video for video, _ in segments_in(spool)]
    out = tmp_path / "out.mp4"
    join([Part(videos[0], 1.0, 9), Part(videos[1], 0, 9), Part(videos[2], 0, 1)], out)
    name, begin, end, heard = sounds_of(out)
    assert name == "aac"
    assert begin < 0.3
    assert 3.6 < end < 4.1
    assert heard == pytest.approx(440, abs=5)
    assert len(times_in(out)) == 100
