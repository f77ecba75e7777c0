"""Versions of the registry."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from flows.learning.lineage import lineage
from flows.service.parts.state import ServiceState
from flows.service.versions.comparison import compare_versions, evaluated_pairs
from flows.service.versions.comparison_details import as_shown, comparison_details, differing_frames
from flows.service.views import lineage_view, model_view
from streetloop.control.versions.comparison import VersionComparisonView, VersionForm
from streetloop.control.versions.comparison_details import ComparisonDetailsView
from streetloop.control.views import LineageView, ModelView
from streetloop.errors import (
    ImageUnreadable,
    InputRejected,
    InputTooLarge,
    NotFound,
    ProcessDied,
    QueueFull,
    StoreError,
)
from streetloop.host.processes import in_own_process
from streetloop.ledger.evaluations import EvaluationRun, evaluations_of
from train.evaluation.kept_evaluation import KeptEvaluation, evaluation_key, is_kept, load_kept_evaluation
from train.model.find_model import has_registry, open_registry
from train.model_registry import Version

_MAX_EVALUATIONS = 200
_RETRY_AFTER_S = 30
MAX_FILE_BYTES = 2 * 1024**3
"""Of a version that is downloaded."""


class ModelService(ServiceState):
    """See `streetloop.control.port.Control`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._registering = threading.Lock()

    def models(self) -> list[ModelView]:
        """See `Control.models`."""
        return [model_view(version) for version in self._versions()]

    def lineage(self, version: str) -> list[LineageView]:
        """See `Control.lineage`."""
        self._require_version(version)
        return [lineage_view(one) for one in lineage(self._settings, version)]

    def compare_versions(self, first: str, second: str) -> VersionComparisonView:
        """See `Control.compare_versions`."""
        versions = self._versions()
        one, other = (_version(versions, name) for name in (first, second))
        measured = evaluations_of(self._ledger, {str(one.number), str(other.number)}, _MAX_EVALUATIONS)
        found = compare_versions(one, other, measured)
        try:
            kept = self._kept_pair(one, other, measured)
        except StoreError as error:  # scores are on record all the same
            self._tell(str(error))
            kept = None
        if kept is not None:
            found.evaluations = kept[0].id, kept[1].id
        return found

    def compare_details(self, first: str, second: str) -> ComparisonDetailsView:
        """See `Control.compare_details`."""
        return comparison_details(*self._kept(first, second))

    def compared_image(self, first: str, second: str, image: str) -> bytes:
        """See `Control.compared_image`."""
        _, kept = self._kept(first, second)
        for frame, _ in differing_frames(*kept):
            if frame.image == image:
                try:
                    return as_shown(self._store.get(frame.key))
                except ImageUnreadable as error:
                    raise NotFound(f"the image of frame {image[:12]} cannot be read: {error}") from error
        raise NotFound(f"there is no frame {image[:64]!r} on which they differ most")

    def version_forms(self, version: str) -> list[VersionForm]:
        """See `Control.version_forms`."""
        found = _version(self._versions(), version)
        has_checkpoint = open_registry(self._settings).has_checkpoint(found)
        if has_checkpoint is None:
            return []
        return ["onnx", "pt"] if has_checkpoint else ["onnx"]

    def version_file(self, version: str, form: VersionForm) -> Path:
        """See `Control.version_file`."""
        if form not in self.version_forms(version):
            raise NotFound(f"version {version} has no {form} file to download")
        onnx = open_registry(self._settings).download(version, self._settings.models / "registry")
        file = onnx if form == "onnx" else onnx.with_suffix(".pt")
        if file.stat().st_size > MAX_FILE_BYTES:
            raise InputTooLarge(
                f"the {form} file of version {version} is too large; `streetloop models export` writes it"
            )
        return file

    def register_model(self, file: BinaryIO, name: str, classes: str | None) -> ModelView:
        """See `Control.register_model`."""
        # Not at the top: it loads the runtimes of models.
        from flows.service.versions.sent_model import class_names, register_apart, sent_file

        names = class_names(classes)
        if not self._registering.acquire(blocking=False):
            raise QueueFull("another model is being registered; ask again later", _RETRY_AFTER_S)
        try:
            with sent_file(file, name, self._settings.home) as path:
                # Apart: what a stranger made may take any time and memory, or crash its runtime.
                number = in_own_process(register_apart, self._settings, path, names)
        except ProcessDied as error:
            raise InputRejected(
                "the model cannot be opened: its runtime crashed, or needed too much time or memory"
            ) from error
        finally:
            self._registering.release()
        return model_view(_version(self._versions(), str(number)))

    def _kept(
        self, first: str, second: str
    ) -> tuple[tuple[EvaluationRun, EvaluationRun], tuple[KeptEvaluation, KeptEvaluation]]:
        """The newest evaluations of two versions on one dataset, and what they kept."""
        versions = self._versions()
        one, other = (_version(versions, name) for name in (first, second))
        measured = evaluations_of(self._ledger, {str(one.number), str(other.number)}, _MAX_EVALUATIONS)
        pair = self._kept_pair(one, other, measured)
        if pair is None:
            raise NotFound(
                f"nothing is kept of evaluations of versions {one.number} and {other.number} on one "
                "dataset; evaluate both on one: POST /evaluations"
            )
        loaded = [load_kept_evaluation(self._store, _key(run)) for run in pair]
        return pair, (loaded[0], loaded[1])

    def _kept_pair(
        self, one: Version, other: Version, measured: Sequence[EvaluationRun]
    ) -> tuple[EvaluationRun, EvaluationRun] | None:
        if one.number == other.number:
            return None
        for pair in evaluated_pairs(one, other, measured):
            if all(is_kept(self._store, _key(run)) for run in pair):
                return pair
        return None

    def _require_version(self, name: str) -> None:
        _version(self._versions(), name)

    def _versions(self) -> list[Version]:
        return open_registry(self._settings).versions() if has_registry(self._settings) else []


def _key(run: EvaluationRun) -> str:
    return evaluation_key(run.id, run.asked_at)


def _version(versions: Sequence[Version], name: str) -> Version:
    for version in versions:
        if name == str(version.number) or name in version.aliases:
            return version
    raise NotFound(f"there is no version {name[:64]!r}; `streetloop models` lists them")
