"""``streetloop label`` and ``streetloop labelstudio``, as a user types them."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from flows.cli.main import main
from labeling.answers import Quarantined
from labeling.measured_quality import MEASURED
from labeling.queue import ReviewQueue
from streetloop.clock import SystemClock
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.events import list_events
from streetloop.ledger.review_moves import AnswerSource, answer_review, ask_again, mark_pushed
from streetloop.ledger.reviews import ReviewState, SelectionReason, add_reviews, list_reviews
from streetloop.settings import Settings
from tests.support.samples.frames import NOON, FakeLabeler, digest, labeled, review, states
from tests.support.samples.tiny_model import NAMES, detector_output, write_tiny_model
from train.model.model_file import open_model

URI = "sim://larkfield/gantry?size=320x180"

Run = Callable[..., int]


@pytest.fixture
def streetloop(monkeypatch: pytest.MonkeyPatch) -> Run:
    def run(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["streetloop", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        return code if isinstance(code, int) else 0

    return run


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Version of a model of cars and buses that is opened in no time."""
    answer = detector_output((10, 10, 5, 5, 0, 0.9))
    path = write_tiny_model(tmp_path / "tiny.onnx", np.asarray(answer))
    monkeypatch.setenv("STREETLOOP_MODEL", str(path))
    return open_model(str(path), tmp_path).version


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(Settings().ledger)


@pytest.fixture
def queue(ledger: Ledger) -> ReviewQueue:
    return ReviewQueue(ledger, SystemClock())


def candidates(queue: ReviewQueue, count: int, model: str = "m-1") -> None:
    now = SystemClock().now()
    found = [review(k, at=now, origin={"uri": URI, "frame": k}) for k in range(count)]
    queue.add([replace(one, model_version=model) for one in found])


Said = pytest.CaptureFixture[str]


def test_by_hand_frames_are_chosen_pushed_and_pulled(
    streetloop: Run, model: str, queue: ReviewQueue, capsys: Said
) -> None:
    candidates(queue, 5, model)
    assert streetloop("label", "push", "--labeler", "oracle", "--choose", "3") == 0
    assert capsys.readouterr().out == "3 chosen, 3 handed over\n"
    assert streetloop("label", "push", "--labeler", "oracle", "--choose", "3") == 0
    assert capsys.readouterr().out == "0 chosen, 0 handed over\n", "three a day"
    assert streetloop("label", "pull", "--labeler", "oracle") == 0
    assert capsys.readouterr().out == "3 answers; 0 frames still wait\n"
    assert streetloop("label", "status", "--json") == 0
    counts = json.loads(capsys.readouterr().out)
    states = {**dict.fromkeys(ReviewState, 0), "candidate": 2, "labeled": 3}
    who = {"suspect": 0, "labeler": "none", "people": "none", "url": None, "budget": 100, "chosen_today": 3}
    assert counts == {"counts": states, **who, **states}


def test_the_labeler_is_also_taken_from_the_settings(
    streetloop: Run, model: str, queue: ReviewQueue, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREETLOOP_LABELER", "oracle")
    assert streetloop("label", "push") == 0
    assert capsys.readouterr().out == "0 handed over\n"


def test_the_state_for_people_has_a_line_for_each(streetloop: Run, queue: ReviewQueue, capsys: Said) -> None:
    candidates(queue, 12)
    assert streetloop("label", "status") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "     12  candidate"
    assert len(lines) == len(ReviewState)


def test_the_report_has_precision_and_recall_by_camera_and_class(
    streetloop: Run, model: str, queue: ReviewQueue, ledger: Ledger, capsys: Said
) -> None:
    now = SystemClock().now()
    found = [review(k, at=now, reason=SelectionReason.RANDOM, score=0.0) for k in range(2)]
    queue.add([replace(one, model_version=model) for one in found])
    queue.choose(20)
    for k, one in enumerate(list_reviews(ledger, [ReviewState.PENDING])):
        mark_pushed(ledger, one.digest, SystemClock().now())
        answer_review(ledger, one.digest, AnswerSource(SystemClock().now(), "ann"), one.boxes if k else ())
    assert streetloop("label", "report", "--json") == 0
    figures = {
        "kept": 1,
        "moved": 0,
        "reclassed": 0,
        "removed": 1,
        "added": 0,
        "precision": 0.5,
        "recall": 1.0,
    }
    assert json.loads(capsys.readouterr().out) == [
        {"model_version": model, "camera": camera, "class": "car", **figures} for camera in (None, "a")
    ]
    assert streetloop("label", "report") == 0
    said = capsys.readouterr().out
    assert "0.50" in said
    assert "random frames only" in said
    assert streetloop("label", "report", "--all") == 0
    assert "random frames only" not in capsys.readouterr().out


def test_a_share_of_nothing_is_null(
    streetloop: Run, model: str, queue: ReviewQueue, ledger: Ledger, capsys: Said
) -> None:
    queue.add([replace(review(1, at=SystemClock().now()), model_version=model)])
    queue.choose(1)
    mark_pushed(ledger, digest(1), SystemClock().now())
    answer_review(ledger, digest(1), AnswerSource(SystemClock().now(), "ann"), [])
    assert streetloop("label", "report", "--all", "--json") == 0
    assert [one["recall"] for one in json.loads(capsys.readouterr().out)] == [None, None]


def test_the_oracles_delay_goes_on_between_two_commands(
    streetloop: Run,
    model: str,
    queue: ReviewQueue,
    ledger: Ledger,
    capsys: Said,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STREETLOOP_ORACLE_DELAY_S", "3600")
    candidates(queue, 2, model)
    assert streetloop("label", "push", "--labeler", "oracle", "--choose", "2") == 0
    first, second = list_reviews(ledger, [ReviewState.PUSHED])
    ask_again(ledger, [first.digest])
    mark_pushed(ledger, first.digest, SystemClock().now() - timedelta(hours=1))
    capsys.readouterr()
    assert streetloop("label", "pull", "--labeler", "oracle") == 0
    assert capsys.readouterr().out == "1 answers; 1 frames still wait\n"
    assert [r.digest for r in list_reviews(ledger, [ReviewState.PUSHED])] == [second.digest]


def test_pulling_keeps_what_was_measured(
    streetloop: Run, model: str, queue: ReviewQueue, ledger: Ledger
) -> None:
    now = SystemClock().now()
    origin = {"uri": URI, "frame": 1}
    found = [review(k, at=now, reason=SelectionReason.RANDOM, origin=origin) for k in range(5)]
    queue.add([replace(one, model_version=model) for one in found])
    assert streetloop("label", "push", "--labeler", "oracle", "--choose", "10") == 0
    assert streetloop("label", "pull", "--labeler", "oracle") == 0
    (event,) = list_events(ledger, kind=MEASURED)
    assert (event.camera_id, event.model_version, event.detail["frames"]) == ("a", model, 1)


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["push", "--labeler", "mechanical turk"], {}, "unknown labeler 'mechanical turk'"),
        (["pull", "--labeler", ""], {}, "unknown labeler ''"),
        (["push"], {}, "no labeler is set: give --labeler, or set STREETLOOP_LABELER"),
        (["pull"], {}, "no labeler is set"),
        (["push"], {"LABELER": "nobody"}, "STREETLOOP_LABELER: "),
        (["status"], {"LABEL_BUDGET": "-1"}, "STREETLOOP_LABEL_BUDGET: "),
        (["push", "--labeler", "label-studio"], {}, "no Label Studio is known: start one with"),
        (
            ["push", "--labeler", "label-studio"],
            {"LABEL_STUDIO_URL": "http://127.0.0.1:1"},
            "set STREETLOOP_LABEL_STUDIO_TOKEN, too",
        ),
        (
            ["pull", "--labeler", "label-studio"],
            {"LABEL_STUDIO_URL": "http://127.0.0.1:1", "LABEL_STUDIO_TOKEN": "hunter2"},
            "neither a personal access token nor 40 hex digits",
        ),
        (["status", "--file", "/nowhere/cameras.yaml"], {}, "/nowhere/cameras.yaml"),
        (["reopen"], {}, "name frames by their digests, or give --rejected or --suspect"),
        (["reopen", "abcdef"], {}, "no rejected or suspect frame begins with 'abcdef'"),
        (["confirm"], {}, "name frames by their digests, or give --suspect"),
        (["confirm", "abcdef"], {}, "no suspect frame begins with 'abcdef'"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    arguments: list[str],
    environment: dict[str, str],
    words: str,
    streetloop: Run,
    model: str,
    capsys: Said,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(f"STREETLOOP_{name}", value)
    assert streetloop("label", *arguments) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert said.out == ""
    assert "hunter2" not in said.err


@pytest.mark.parametrize("count", ["-1", "many", "100001"])
def test_a_budget_that_is_none_is_refused(count: str, streetloop: Run) -> None:
    assert streetloop("label", "push", "--choose", count) == 2


def test_a_server_that_does_not_run_is_stopped_without_complaint(streetloop: Run, capsys: Said) -> None:
    assert streetloop("labelstudio", "down") == 0
    assert capsys.readouterr().out == "it did not run\n"


def test_bad_settings_are_said_of_the_server_too(
    streetloop: Run, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREETLOOP_LABELER", "nobody")
    for command in ("up", "down"):
        assert streetloop("labelstudio", command) == 2
        assert "STREETLOOP_LABELER: " in capsys.readouterr().err


def test_a_frame_from_elsewhere_is_not_for_the_oracle_and_says_so(
    streetloop: Run, model: str, queue: ReviewQueue, capsys: Said
) -> None:
    candidates(queue, 2, model)
    elsewhere = review(9, camera_id="a40", at=SystemClock().now())
    queue.add([replace(elsewhere, model_version=model)])
    assert streetloop("label", "push", "--labeler", "oracle", "--choose", "9") == 1
    assert "a40 is elsewhere" in capsys.readouterr().err
    assert queue.counts()[ReviewState.PUSHED] == 2


def test_push_and_pull_as_json_and_with_the_settings_of_a_camera_file(
    streetloop: Run, queue: ReviewQueue, capsys: Said, tmp_path: Path
) -> None:
    candidates(queue, 4)
    path = tmp_path / "cameras.yaml"
    path.write_text("settings: {labeler: oracle}\ncameras: [{id: a, uri: 'sim://larkfield/gantry'}]\n")
    where = ("--file", str(path), "--json")
    assert streetloop("label", "push", "--choose", "3", *where) == 0
    assert json.loads(capsys.readouterr().out) == EXCHANGE | {"chosen": 3, "pushed": 3, "waiting": 3}
    assert streetloop("label", "pull", *where) == 0
    assert json.loads(capsys.readouterr().out) == EXCHANGE | {"answered": 3}
    assert streetloop("label", "report", "--all", *where) == 0
    assert json.loads(capsys.readouterr().out)


EXCHANGE = dict.fromkeys(("chosen", "pushed", "answered", "waiting", "rejected"), 0)


def test_rejected_frames_are_shown_with_the_reason_and_reopened(
    streetloop: Run, queue: ReviewQueue, ledger: Ledger, capsys: Said
) -> None:
    people = FakeLabeler()
    candidates(queue, 3)
    queue.choose(9)
    queue.push(people)
    for k in range(2):
        people.answers[digest(k)] = Quarantined(digest(k), f"[red] reason {k}", NOON, f"http://studio/{k}")
    queue.pull(people)
    assert streetloop("label", "status", "--rejected", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [
        {"digest": digest(k), "camera": "a", "reason": f"[red] reason {k}", "url": f"http://studio/{k}"}
        for k in range(2)
    ]
    assert streetloop("label", "status", "--rejected") == 0
    assert "[red] reason 1" in capsys.readouterr().out
    assert streetloop("label", "reopen", digest(1)) == 0
    assert "1 frames reopened" in capsys.readouterr().out
    assert states(ledger) == {0: "rejected", 1: "pushed", 2: "labeled"}
    people.answers[digest(1)] = labeled(digest(1))
    assert queue.pull(people).labels == 1, "the same moment, now readable"
    assert streetloop("label", "reopen", "--rejected") == 0
    assert states(ledger) == {0: "pushed", 1: "labeled", 2: "labeled"}


# Frames of older versions, which stored no class names

_STRANGER = "stranger-0123456789ab"


def strangers(ledger: Ledger, state: ReviewState, *numbers: int) -> None:
    """Frames that a model found of which nobody knows the classes."""
    now = SystemClock().now()
    for number in numbers:
        one = review(number, at=now, reason=SelectionReason.RANDOM, origin={"uri": URI, "frame": number})
        one = replace(one, model_version=_STRANGER, classes=(), state=state, pushed_at=now, label=one.boxes)
        add_reviews(ledger, [one])


def refused(said: str) -> bool:
    """True if that is one sentence with the model and the way out."""
    (sentence,) = said.strip().splitlines()
    return all(word in sentence for word in (_STRANGER, "--model", "STREETLOOP_MODEL", "refused"))


@pytest.mark.parametrize(
    ("arguments", "state"),
    [
        (["push", "--labeler", "oracle"], ReviewState.PENDING),
        (["push", "--labeler", "oracle", "--choose", "9"], ReviewState.CANDIDATE),
        (["pull", "--labeler", "oracle"], ReviewState.PUSHED),
        (["report"], ReviewState.LABELED),
        (["report", "--all"], ReviewState.IN_DATASET),
    ],
)
def test_frames_without_class_names_are_refused_and_stay_as_they_are(
    arguments: list[str], state: ReviewState, streetloop: Run, model: str, ledger: Ledger, capsys: Said
) -> None:
    strangers(ledger, state, 1, 2)
    before = list_reviews(ledger, [state])
    assert streetloop("label", *arguments) == 2
    said = capsys.readouterr()
    assert refused(said.err)
    assert said.out == ""
    assert list_reviews(ledger, [state]) == before
    assert list_events(ledger, kind=MEASURED) == []


def test_beside_frames_without_class_names_the_others_go_their_way(
    streetloop: Run, model: str, queue: ReviewQueue, ledger: Ledger, capsys: Said
) -> None:
    candidates(queue, 2, model)
    strangers(ledger, ReviewState.CANDIDATE, 7)
    assert streetloop("label", "push", "--labeler", "oracle", "--choose", "9") == 2
    said = capsys.readouterr()
    assert said.out == "2 chosen, 2 handed over\n"
    assert refused(said.err)
    strangers(ledger, ReviewState.PUSHED, 8)
    assert streetloop("label", "pull", "--labeler", "oracle") == 2
    said = capsys.readouterr()
    assert said.out == "2 answers; 0 frames still wait\n"
    assert refused(said.err)
    strangers(ledger, ReviewState.LABELED, 9)
    assert streetloop("label", "report", "--all", "--json") == 2
    said = capsys.readouterr()
    assert {one["model_version"] for one in json.loads(said.out)} == {model}
    assert refused(said.err)


def test_the_model_that_found_older_frames_is_named_by_a_flag(
    streetloop: Run, queue: ReviewQueue, ledger: Ledger, capsys: Said, tmp_path: Path
) -> None:
    path = write_tiny_model(tmp_path / "tiny.onnx", np.asarray(detector_output((10, 10, 5, 5, 0, 0.9))))
    version = open_model(str(path), tmp_path).version
    now = SystemClock().now()
    old = [review(k, at=now, origin={"uri": URI, "frame": k}) for k in range(2)]
    queue.add([replace(one, model_version=version, classes=()) for one in old])
    assert streetloop("label", "push", "--labeler", "oracle", "--choose", "9", "--model", str(path)) == 0
    assert [r.classes for r in list_reviews(ledger, [ReviewState.PUSHED])] == [NAMES, NAMES]
    capsys.readouterr()
    strangers(ledger, ReviewState.PENDING, 7)
    arguments = ("push", "--labeler", "oracle", "--model", "/nowhere/model.onnx")
    assert streetloop("label", *arguments) == 2
    assert "/nowhere/model.onnx" in capsys.readouterr().err
