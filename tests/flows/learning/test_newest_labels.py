"""Which labels a dataset has: the newest, by the names of the frame's model, and none in doubt."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from flows.learning.dataset_builder import gather_material, mark_learned
from flows.learning.training_material import with_own_boxes
from streetloop.boxes import Box, Boxes
from streetloop.city.render.shapes import CLASSES
from streetloop.errors import DatasetError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.review_moves import AnswerSource, answer_review, confirm_labels
from streetloop.ledger.reviews import ReviewState, add_reviews, count_labeled, list_reviews
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from tests.support.learning import add_labels
from tests.support.samples.frames import NOON
from train.data.dataset import Dataset, save_dataset
from train.data.other_classes import unasked_classes
from train.first_champion import ensure_champion
from train.model.find_model import find_model
from train.model_registry import Version

pytestmark = [pytest.mark.slow]

CAR = (Box(CLASSES.index("car"), (1.0, 2.0, 30.0, 40.0)),)


@dataclass
class Home:
    """A home with a champion and sixty labels."""

    settings: Settings
    ledger: Ledger
    champion: Version

    def gather(self) -> Dataset:
        """What would be learned now."""
        return gather_material(self.settings, self.ledger, self.champion, "x", {}).dataset

    def learn(self) -> None:
        """A model has learned what there is, and is the champion."""
        dataset = self.gather()
        save_dataset(open_store(self.settings), dataset)
        mark_learned(self.ledger, dataset)
        record = replace(self.champion.record, dataset=dataset.digest)
        self.champion = replace(self.champion, record=record)

    def boxes(self, image: str) -> Boxes | None:
        """The label that an image would have; None if it is left out."""
        found = [example.boxes for example in self.gather().examples if example.image == image]
        return found[0] if found else None


@pytest.fixture
def home(weak: Settings) -> Iterator[Home]:
    ledger = open_ledger(weak.ledger)
    yield Home(weak, ledger, ensure_champion(weak, lambda _: None)[0])
    ledger.close()


def test_labels_of_another_model_are_matched_by_name(home: Home) -> None:
    named = CLASSES[::-1]
    (one, *_) = add_labels(home.settings, home.ledger, "m-2", cameras=1, first_seed=70, classes=named)
    assert one.label
    found = home.boxes(one.digest)
    assert found is not None
    names = [home.champion.record.classes[box.class_id] for box in found]
    assert names == [named[box.class_id] for box in one.label]


def test_an_answer_that_is_changed_after_a_dataset_has_it_counts_for_the_next(home: Home) -> None:
    image = home.gather().examples[0].image
    home.learn()
    before = count_labeled(home.ledger)
    assert answer_review(home.ledger, image, AnswerSource(NOON + timedelta(days=1), "ann"), CAR)
    assert count_labeled(home.ledger) == before + 1
    assert home.boxes(image) == CAR


def test_an_answer_that_is_changed_during_a_training_remains_new(home: Home) -> None:
    dataset = home.gather()
    image = dataset.examples[0].image
    answer_review(home.ledger, image, AnswerSource(NOON + timedelta(days=1), "ann"), CAR)
    mark_learned(home.ledger, dataset)
    (changed,) = [r for r in list_reviews(home.ledger, [ReviewState.LABELED]) if r.digest == image]
    assert changed.label == CAR


def test_labels_in_doubt_are_in_no_dataset_until_they_are_confirmed(home: Home) -> None:
    (one, *_) = add_labels(home.settings, home.ledger, "m-2", cameras=1, first_seed=70)
    assert home.boxes(one.digest) is not None
    home.learn()
    with home.ledger.transaction() as connection:
        connection.exec_driver_sql("update reviews set doubt = 'who knows'")
    with pytest.raises(DatasetError, match="are in doubt: see `streetloop label status --suspect`"):
        home.gather()
    add_reviews(home.ledger, [replace(one, digest="f" * 64, captured_at=NOON + timedelta(days=9))])
    assert home.boxes(one.digest) is None, "nor in the replay of an older dataset"
    confirm_labels(home.ledger, [one.digest])
    assert home.boxes(one.digest) is not None


def test_a_label_about_some_classes_is_learned_beside_the_models_own_boxes(home: Home) -> None:
    some = [
        replace(r, digest=f"{k:064x}") for k, r in enumerate(list_reviews(home.ledger, [ReviewState.LABELED]))
    ]
    add_reviews(home.ledger, [replace(r, asked=("truck", "bus")) for r in some])
    material = gather_material(home.settings, home.ledger, home.champion, "x", {})
    said: list[str] = []
    model = find_model(str(home.champion.number), home.settings)
    whole = with_own_boxes(home.settings, material, model, said.append).dataset
    asked = [example for example in whole.examples if int(example.image, 16) < len(some)]
    cars = {CLASSES.index("car"), CLASSES.index("person")}
    assert asked
    assert all(unasked_classes(example) >= cars for example in asked)
    assert "nobody was asked about in" in said[0]
    mark_learned(home.ledger, whole)
    kept = {example.image for example in whole.examples}
    left = {frame.digest for frame in list_reviews(home.ledger, [ReviewState.LABELED])}
    assert not kept & left, "all that it was built of is learned"
