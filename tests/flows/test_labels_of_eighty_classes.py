"""Labels of a detector of eighty classes, through the command line and a real Label Studio.

The shipped model of five classes stays the model of the settings, as in the quickstart: classes are
named by the model that found the frame.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from labeling.open_labeler import open_labeler
from labeling.queue import ReviewQueue
from streetloop.clock import SystemClock
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.review_moves import mark_in_dataset
from streetloop.ledger.reviews import FrameRecord, ReviewState, add_reviews, list_reviews
from streetloop.settings import Settings, read_settings
from streetloop.storage.open import open_store
from tests.support.samples.frames import Fate, Killed, MortalLedger
from tests.support.samples.street_frames import street_frames
from tests.support.servers.labels.label_studio import Annotator, Studio
from train.model.model_file import open_model

pytestmark = [pytest.mark.label_studio, pytest.mark.model, pytest.mark.timeout(1500)]

FRAMES = 200
LATER = 20  # answers that are changed after they were read

NamedBox: TypeAlias = tuple[str, tuple[float, ...]]
"""A class name, and left, top, right, bottom in pixels."""


class Street:
    """Frames of a recorded street on their way to a real Label Studio.

    Attributes:
        settings: Those of the environment.
        ledger: Holds the frames.
        frames: The frames, as they were found.
        truth: What the person in front of Label Studio has said, by digest.
    """

    def __init__(self, studio: Studio, title: str, weights: Path, cache: Path) -> None:
        self.settings: Settings = read_settings()
        self.ledger: Ledger = open_ledger(self.settings.ledger)
        self.title, self.studio = title, studio
        model = open_model(str(weights), cache)
        found = street_frames(model, open_store(self.settings), FRAMES)
        self.frames = [replace(one, state=ReviewState.PENDING) for one in found]
        self.truth: dict[str, list[NamedBox]] = {}
        add_reviews(self.ledger, self.frames)

    def command(self, *arguments: str) -> Any:
        """What ``streetloop label`` prints as JSON."""
        result = CliRunner().invoke(app, ["label", *arguments, "--json"], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def pull_and_die(self, after: int) -> None:
        """A process takes over answers, and is killed before one of its steps."""
        dying = ReviewQueue(MortalLedger(self.ledger, Fate(at=after)), SystemClock())
        labeler = open_labeler(self.settings, open_store(self.settings), dying)
        assert labeler is not None
        with pytest.raises(Killed):
            dying.pull(labeler)

    def answer(self, person: Annotator, tasks: Sequence[Any], edit: Callable[[int, Any], Any]) -> None:
        """A person submits each task, as ``edit`` changes the model's boxes."""
        for number, task in enumerate(tasks):
            results = edit(number, json.loads(json.dumps(task["predictions"][0]["result"])))
            person.submit(task["id"], results)
            self._note(task, results)

    def change(self, person: Annotator, tasks: Sequence[Any]) -> None:
        """A person turns every box of some answers into a tram-like train, shifted by 3 percent."""
        for task in tasks:
            (given,) = task["annotations"]
            results = [_changed(one, x=one["value"]["x"] * 0.97, name="train") for one in given["result"]]
            person.ask("PATCH", f"/api/annotations/{given['id']}/", json={"result": results})
            self._note(task, results)

    def _note(self, task: Any, results: Sequence[Any]) -> None:
        size = np.array([task["data"]["width"], task["data"]["height"]] * 2) / 100
        self.truth[task["data"]["digest"]] = [_in_pixels(one["value"], size) for one in results]

    def labels(self, *states: ReviewState) -> dict[str, list[NamedBox]]:
        """What the ledger has, by digest."""
        return {
            one.digest: [(one.classes[box.class_id], box.xyxy) for box in one.label or ()]
            for one in list_reviews(self.ledger, states)
        }


def _in_pixels(value: Any, size: Any) -> NamedBox:
    corners = value["x"], value["y"], value["x"] + value["width"], value["y"] + value["height"]
    return value["rectanglelabels"][0], tuple((np.array(corners) * size).tolist())


def _changed(result: Any, x: float | None = None, name: str | None = None) -> Any:
    value = dict(result["value"])
    value |= {} if x is None else {"x": x}
    value |= {} if name is None else {"rectanglelabels": [name]}
    return {**result, "value": value}


def _edited(number: int, results: list[Any]) -> list[Any]:
    """Every second frame is edited: a box added, the first renamed and moved, the last deleted."""
    if number % 2 == 0:
        return results
    kept = [_changed(one, x=one["value"]["x"] * 0.9) for one in results[:-1]]
    names = ("truck", "motorcycle", "traffic light", "bus")
    first = [_changed(one, name=names[number // 2 % len(names)]) for one in kept[:1]]
    box = {"x": 1.25, "y": 2.5, "width": 20.125, "height": 30.0625, "rotation": 0}
    added = {"id": f"added{number}", "type": "rectanglelabels", "from_name": "label", "to_name": "image"}
    return [*first, *kept[1:], {**added, "value": {**box, "rectanglelabels": ["hair drier"]}}]


def require_equal(found: dict[str, list[NamedBox]], said: dict[str, list[NamedBox]]) -> None:
    """Every frame has every box with its class, within half a pixel."""
    assert found.keys() == said.keys()
    for digest, boxes in said.items():
        assert [name for name, _ in found[digest]] == [name for name, _ in boxes]
        for (_, ours), (_, theirs) in zip(found[digest], boxes, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=0.5)


@pytest.fixture
def street(
    studio: Studio, title: str, weights: Path, model_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Street]:
    monkeypatch.setenv("STREETLOOP_LABELER", "label-studio")
    monkeypatch.setenv("STREETLOOP_LABEL_STUDIO_URL", studio.access.url)
    monkeypatch.setenv("STREETLOOP_LABEL_STUDIO_TOKEN", studio.access.token.get_secret_value())
    monkeypatch.setenv("STREETLOOP_LABEL_PROJECT", title)
    street = Street(studio, title, weights, model_cache)
    yield street
    street.ledger.close()


def _shown(frame: FrameRecord) -> list[NamedBox]:
    return [(frame.classes[box.class_id], box.xyxy) for box in frame.shown]


def test_every_box_and_class_arrives_whatever_dies_and_is_changed(street: Street) -> None:
    # Label Studio is killed after the push; `test_faults.py` kills it within one.
    assert street.command("push")["pushed"] == FRAMES
    street.studio.kill()
    street.studio.start()
    assert street.command("push")["pushed"] == 0, "what was pushed is there"
    with street.studio.owner() as person:
        tasks = person.tasks(street.title)
        assert [task["data"]["digest"] for task in tasks] == [one.digest for one in street.frames]
        shown = {one.digest: _shown(one) for one in street.frames}
        seen = {}
        for task in tasks:
            size = np.array([task["data"]["width"], task["data"]["height"]] * 2) / 100
            results = task["predictions"][0]["result"]
            seen[task["data"]["digest"]] = [_in_pixels(one["value"], size) for one in results]
        require_equal(seen, shown)
        assert any(len(one.boxes) > len(one.shown) for one in street.frames), "weak boxes are not shown"
        street.answer(person, tasks, _edited)
    street.pull_and_die(after=FRAMES // 2)
    assert 0 < len(street.labels(ReviewState.LABELED)) < FRAMES
    pulled = street.command("pull")
    assert (pulled["rejected"], pulled["waiting"]) == (0, 0)
    require_equal(street.labels(ReviewState.LABELED), street.truth)
    assert street.command("pull") == dict.fromkeys(pulled, 0), "no answer counts twice"

    # Answers are changed later: of frames that are labeled, and of frames that a dataset has.
    learned = [one.digest for one in street.frames[: LATER // 2]]
    mark_in_dataset(street.ledger, learned, "d" * 64)
    with street.studio.owner() as person:
        street.change(person, person.tasks(street.title)[:LATER])
    assert street.command("pull")["answered"] == LATER
    require_equal(street.labels(ReviewState.LABELED), street.truth)
    assert street.labels(ReviewState.IN_DATASET) == {}, "they are labels for the next dataset"
