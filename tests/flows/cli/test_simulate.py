import json
from pathlib import Path

import pytest

from flows.cli.main import main
from streetloop.city.world.city_events import EVENTS
from streetloop.city.world.conditions import CONDITIONS
from streetloop.city.world.places import PLACES
from tests.support.programs.cli import Command

_URI = "sim://stonebridge/middle?size=64x64"


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["streetloop", "simulate", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    code = ended.value.code
    return code if isinstance(code, int) else 0


def test_the_list_is_all_that_exists_as_json_and_nothing_else(tmp_path: Path) -> None:
    outcome = Command("simulate", "--list", "--json", home=tmp_path).finish()

    assert outcome.code == 0
    assert outcome.stderr == ""
    assert outcome.json == {
        "cities": {name: list(place.cameras) for name, place in PLACES.items()},
        "conditions": list(CONDITIONS),
        "events": list(EVENTS),
    }


def test_the_list_for_people_has_a_uri_for_each_camera(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, "--list") == 0

    lines = capsys.readouterr().out.splitlines()
    uris = [f"sim://{city}/{name}" for city, place in PLACES.items() for name in place.cameras]
    assert lines[: len(uris)] == uris
    assert f"conditions: {', '.join(CONDITIONS)}" in lines
    assert f"events: {', '.join(EVENTS)}" in lines


def test_a_clip_and_its_truth_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a" / "clip"

    assert _run(monkeypatch, _URI, "--frames", "3", "--out", str(out)) == 0
    assert f"3 frames in {out}" in capsys.readouterr().out
    assert len(list((out / "images").iterdir())) == 3
    assert len((out / "truth.jsonl").read_text().splitlines()) == 3
    assert json.loads((out / "coco.json").read_text())["images"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give a camera, such as sim://kingsport/crossing"),
        (["sim://atlantis/crossing"], "unknown city 'atlantis'; known are kingsport"),
        (["sim://kingsport/attic"], "kingsport has no camera 'attic'; it has crossing"),
        ([f"{_URI}&condition=snow"], "unknown condition 'snow'"),
        ([f"{_URI}&event=earthquake"], "unknown event 'earthquake'"),
        ([f"{_URI}&colour=red"], "unknown option 'colour'"),
        (["rtsp://kingsport/crossing"], "sim://city/camera"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"

    assert _run(monkeypatch, *arguments, "--out", str(out)) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert said.out == ""
    assert not out.exists()


def test_a_mistake_as_a_user_meets_it(tmp_path: Path) -> None:
    outcome = Command("simulate", "sim://atlantis/crossing", home=tmp_path).finish()

    assert outcome.code == 2
    assert outcome.stdout == ""
    assert len(outcome.stderr.strip().splitlines()) == 1
    assert "unknown city 'atlantis'" in outcome.stderr


@pytest.mark.parametrize("frames", ["0", "-1", "x"])
def test_there_must_be_some_frames(frames: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _run(monkeypatch, _URI, "--frames", frames) == 2


def test_a_folder_that_cannot_be_written_to_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")

    assert _run(monkeypatch, _URI, "--frames", "1", "--out", str(tmp_path / "file")) == 1
    said = capsys.readouterr().err
    assert str(tmp_path / "file") in said
    assert "Traceback" not in said
