"""Labels are read and pushed whatever became of the models that found their frames."""

from dataclasses import replace
from pathlib import Path

import pytest

from flows.service.label_exchange import LabelExchange
from streetloop.errors import ModelError
from streetloop.ledger import open_ledger
from streetloop.ledger.reviews import ReviewState, add_reviews, list_reviews
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from tests.support.samples.frames import digest, review


@pytest.mark.parametrize("default", [None, "missing.onnx"])
def test_a_model_that_cannot_be_opened_stops_no_exchange(tmp_path: Path, default: str | None) -> None:
    settings = Settings(home=tmp_path, model=str(tmp_path / "missing.onnx"))
    ledger = open_ledger(settings.ledger)
    suspect = replace(review(1), state=ReviewState.REJECTED, doubt="who knows")
    add_reviews(ledger, [suspect])
    name = None if default is None else str(tmp_path / default)
    exchange = LabelExchange(settings, ledger, open_store(settings), name)
    assert exchange.report(only_random=False).items == []
    assert exchange.reopen([digest(1)], rejected=True, suspect=False) == 1
    (reopened,) = list_reviews(ledger, list(ReviewState))
    assert (reopened.state, reopened.doubt) == (ReviewState.PENDING, None)
    ledger.close()


def test_a_model_that_somebody_names_must_open(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, model=str(tmp_path / "missing.onnx"))
    ledger = open_ledger(settings.ledger)
    add_reviews(ledger, [replace(review(1), doubt="who knows")])
    with pytest.raises(ModelError, match=r"missing\.onnx"):
        LabelExchange(settings, ledger, open_store(settings), str(tmp_path / "another.onnx"))
    ledger.close()
