"""Two versions that were evaluated on one dataset, without a model that runs."""

from datetime import UTC, datetime

from streetloop.ledger.evaluations import EvaluationRun, ask_for_evaluation, finish_evaluation
from streetloop.ledger.evaluations import start_next_evaluation as start_next
from streetloop.types import Detections
from tests.support.control_service import Content
from tests.train.data.test_dataset import pure
from train.data.dataset import Dataset, save_dataset
from train.evaluation.kept_evaluation import evaluation_key, keep_evaluation, kept_evaluation
from train.evaluation.metrics import evaluate


def evaluate_versions(content: Content) -> Dataset:
    """Version 1 finds all but what is in one frame, version 2 all; returns the dataset."""
    dataset = pure(content.store)
    whole = [example.truth() for example in dataset.examples]
    note_evaluation(content, "1", dataset, [*whole[:2], Detections.empty(), *whole[3:]])
    note_evaluation(content, "2", dataset, whole)
    return dataset


def note_evaluation(
    content: Content, model: str, dataset: Dataset, found: list[Detections], *, kept: bool = True
) -> EvaluationRun:
    """An evaluation that is over, with what it kept unless told otherwise."""
    digest, now = save_dataset(content.store, dataset), datetime.now(UTC)
    run = ask_for_evaluation(content.ledger, model, digest, {}, "api", now, 9)
    started = start_next(content.ledger, now)
    assert started is not None
    assert started.id == run.id
    report = evaluate(dataset, dataset.examples, found)
    if kept:
        key = evaluation_key(run.id, run.asked_at)
        keep_evaluation(content.store, key, kept_evaluation(report, dataset.examples, found))
    finish_evaluation(content.ledger, run.id, report.as_json(), now)
    return run
