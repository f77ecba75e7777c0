"""Evaluations that are asked for over HTTP."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flows.service.parts.models import ModelService
from flows.service.parts.state import page_of
from streetloop.control.evaluation_control import EvaluationResultView, EvaluationView, NewEvaluation
from streetloop.control.views import Page
from streetloop.errors import ConfigError, DatasetError, NotFound
from streetloop.ledger.evaluations import EvaluationRun, ask_for_evaluation, find_evaluation, list_evaluations
from streetloop.settings import BASELINE
from train.data.dataset import Dataset, load_dataset
from train.data.joined_classes import join_classes
from train.data.open_dataset import judged_examples

MAX_WAITING = 16
"""Evaluations that may wait for the one that runs."""


class EvaluationService(ModelService):
    """See `streetloop.control.port.Control`."""

    def start_evaluation(self, wanted: NewEvaluation, author: str) -> EvaluationView:
        """See `Control.start_evaluation`."""
        model, dataset = self._model_named(wanted.model), self._dataset_of(wanted.dataset)
        try:
            part = replace(dataset, examples=tuple(judged_examples(dataset, wanted.split)))
            join_classes(part, wanted.classes)
        except DatasetError as error:
            raise ConfigError(str(error)) from error
        options = wanted.options().model_dump(mode="json", by_alias=True, exclude_defaults=True)
        now = datetime.now(UTC)
        return _view(
            ask_for_evaluation(self._ledger, model, dataset.digest, options, author, now, MAX_WAITING)
        )

    def evaluation(self, number: int) -> EvaluationResultView:
        """See `Control.evaluation`."""
        found = find_evaluation(self._ledger, number)
        if found is None:
            raise NotFound(f"there is no evaluation {number}")
        return EvaluationResultView(
            **_values(found), result=None if found.result is None else dict(found.result)
        )

    def evaluations(self, offset: int, limit: int) -> Page[EvaluationView]:
        """See `Control.evaluations`."""
        return page_of(list_evaluations(self._ledger, offset, limit + 1), _view, offset, limit)

    def _model_named(self, name: str) -> str:
        """A model as `find_model` takes it; whoever asks names no other file of this machine."""
        for version in self.models():
            if name == str(version.number) or name in version.aliases or name == version.model:
                return str(version.number)
        if name in {BASELINE, self._settings.model}:
            return name
        raise NotFound(f"there is no version or model {name[:64]!r}; `streetloop models` lists them")

    def _dataset_of(self, digest: str) -> Dataset:
        try:
            return load_dataset(self._store, digest)
        except DatasetError as error:
            raise NotFound(str(error)) from error


def _view(run: EvaluationRun) -> EvaluationView:
    return EvaluationView(**_values(run))


def _values(run: EvaluationRun) -> dict[str, Any]:
    return {name: getattr(run, name) for name in EvaluationView.model_fields}
