"""What a training tells arrives once, in order and whole."""

import json
import threading
from pathlib import Path

from train.fine_tuning.progress import listening, tell
from train.fine_tuning.recipe import Progress


def _progress(share: float) -> Progress:
    return Progress(1, 4, share, {"box_loss": 1.5, "cls_loss": float("inf")})


def test_what_is_told_arrives_in_order(tmp_path: Path) -> None:
    path = tmp_path / "new/told.jsonl"
    heard: list[Progress] = []
    with listening(path, heard.append):
        for number in range(50):
            tell(path, _progress(number / 50))
    assert heard == [_progress(number / 50) for number in range(50)]
    assert not path.exists()


def test_it_arrives_while_the_training_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "told.jsonl"
    arrived = threading.Event()
    with listening(path, lambda _: arrived.set()):
        tell(path, _progress(0.5))
        assert arrived.wait(60)


def test_what_an_earlier_training_left_is_not_told(tmp_path: Path) -> None:
    path = tmp_path / "told.jsonl"
    tell(path, _progress(0.1))
    heard: list[Progress] = []
    with listening(path, heard.append):
        tell(path, _progress(0.2))
    assert heard == [_progress(0.2)]


def test_a_line_that_was_cut_off_spoils_its_own_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "told.jsonl"
    heard: list[Progress] = []
    with listening(path, heard.append):
        tell(path, _progress(0.1))
        with path.open("a") as lines:
            lines.write('{"epoch": 1, "epo')  # the worker was killed; another goes on
        tell(path, _progress(0.2))
        tell(path, _progress(0.3))
    assert heard == [_progress(0.1), _progress(0.3)]


def test_a_disk_that_takes_nothing_does_not_end_a_training(tmp_path: Path) -> None:
    tell(tmp_path / "no such folder/told.jsonl", _progress(0.5))


def test_lines_are_plain_json(tmp_path: Path) -> None:
    path = tmp_path / "told.jsonl"
    tell(path, Progress(0, 2, 1.0, {"metrics/mAP50(B)": 0.5}, epoch_over=True))
    assert json.loads(path.read_text()) == {
        "epoch": 0,
        "epochs": 2,
        "share": 1.0,
        "numbers": {"metrics/mAP50(B)": 0.5},
        "epoch_over": True,
    }
