from pathlib import Path

import pytest

import flows.reports.tracks.mot_files as mot_files
from flows.reports.tracks.mot_files import DISTRACTOR, TARGET, MotTracks, read_mot, write_mot
from streetloop.errors import ConfigError


def _written(folder: Path, *lines: str) -> Path:
    path = folder / "tracks.txt"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    tracks = MotTracks.of(
        [[2, 9007199254740992, 1.25, 2, 3, 4, 0.5, DISTRACTOR], [1, 3, -10, 2, 3, 4, 1, TARGET]]
    )
    write_mot(tmp_path / "new/gt.txt", tracks)
    assert (tmp_path / "new/gt.txt").read_text() == (
        "1,3,-10.00,2.00,3.00,4.00,1,1,-1\n2,9007199254740992,1.25,2.00,3.00,4.00,0.5,8,-1\n"
    )
    again = read_mot(tmp_path / "new/gt.txt", truth=True)
    assert again.table.tolist() == tracks.table.tolist()
    assert again.frame.tolist() == [1, 2], "in order of frames"


@pytest.mark.parametrize(
    "line", ["1,2,3,4,5,6", "1, 2, 3, 4, 5, 6", "1 2 3 4 5 6", "1;2;3;4;5;6;1;-1", "1,2,3,4,5,6,1,-1,-1,-1,"]
)
def test_columns_may_be_left_out_and_parted_otherwise(line: str, tmp_path: Path) -> None:
    read = read_mot(_written(tmp_path, line, ""), truth=True)
    assert read.table.tolist() == [[1, 2, 3, 4, 5, 6, 1, TARGET]]


def test_of_true_boxes_only_some_must_be_found(tmp_path: Path) -> None:
    target, vehicle = "1,1,0,0,9,9,1,1,1", "1,2,0,0,9,9,1,3,1"
    ignored, distractor = "1,3,0,0,9,9,0,1,1", "1,4,0,0,9,9,0,8,0.1"
    read = read_mot(_written(tmp_path, target, vehicle, ignored, distractor), truth=True)
    assert read.targets().track_id.tolist() == [1, 2]
    assert read.distractors().track_id.tolist() == [4]
    assert read.objects() == 4


def test_found_tracks_may_be_none(tmp_path: Path) -> None:
    assert len(read_mot(_written(tmp_path), truth=False)) == 0
    of_no_track = read_mot(_written(tmp_path, "1,-1,0,0,9,9", "1,-1,0,0,9,9"), truth=False)
    assert len(of_no_track) == 2
    assert len(of_no_track.tracked()) == 0


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "is empty"),
        (["1,1,0,0,9"], "line 1: has 5 columns"),
        (["1,1,0,0,9,9,1,1,1,1,1"], "line 1: has 11 columns"),
        (["1,1,0,0,9,9", "2,x,0,0,9,9"], "line 2: 'x' is not a number"),
        (["1,1,0,,9,9"], "line 1: '' is not a number"),
        (["1,1,0,0,9,nan"], "line 1: every column must be a finite number"),
        (["0,1,0,0,9,9"], "line 1: frame 0: frames are counted from 1"),
        (["1.5,1,0,0,9,9"], "line 1: frame 1.5"),
        (["1000001,1,0,0,9,9"], "line 1: frame 1e+06"),
        (["1,1.5,0,0,9,9"], "line 1: id 1.5: write a whole number"),
        (["1,-1,0,0,9,9"], "line 1: id -1: every true box has the id"),
        (["1,1,0,0,-9,9"], "line 1: a box of -9 x 9 pixels"),
        (["1,1,0,1e9,9,9"], "line 1: a box beyond"),
        (["1,1,0,0,9,9,1,1.5"], "line 1: class 1.5"),
        (["1,1,0,0,9,9", "", "1,1,5,5,9,9"], "line 3: id 1 is in frame 1 twice"),
    ],
)
def test_a_bad_file_is_one_sentence_with_its_line(lines: list[str], words: str, tmp_path: Path) -> None:
    path = _written(tmp_path, *lines)
    with pytest.raises(ConfigError) as refused:
        read_mot(path, truth=True)
    assert str(path) in str(refused.value)
    assert words in str(refused.value)


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_mot(tmp_path / "nowhere.txt", truth=True)
    (tmp_path / "picture.txt").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(ConfigError, match="is not a text file"):
        read_mot(tmp_path / "picture.txt", truth=False)


def test_what_is_read_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _written(tmp_path, *(f"1,{k},0,0,9,9" for k in range(4)))
    for limit, words in {
        "MAX_BOXES": "line 4: more than 3 boxes in frame 1",
        "MAX_IDS": "more than 3 tracks",
        "_MAX_BYTES": "larger than",
    }.items():
        with monkeypatch.context() as patch:
            patch.setattr(mot_files, limit, 3)
            with pytest.raises(ConfigError, match=words):
                read_mot(path, truth=False)
