"""``streetloop models compare``: two models on the same frames of one dataset."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from flows.reports.evaluation import Cluster, EvaluationRequest, LabeledImages, detect, open_labels
from streetloop.errors import DatasetError
from streetloop.json_values import finite_or_none
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from streetloop.types import Detections
from train.evaluation.judge import Gain, JudgedFrame, JudgePolicy, judge
from train.evaluation.metrics import Report, evaluate
from train.model.find_model import find_model
from train.model.model_file import ModelFile


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """Two models on the same frames.

    Attributes:
        names: The two as they were asked for.
        reports: Metrics of each.
        gains: mAP50 of the second less that of the first by slice, with a paired 95 % interval;
            ``all`` is every frame.
        notes: What was mended in the labels.
    """

    names: tuple[str, str]
    reports: tuple[Report, Report]
    gains: Mapping[str, Gain]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values; null where there is nothing to find."""
        gains = {
            name: {
                "first": finite_or_none(gain.champion, 6),
                "second": finite_or_none(gain.candidate, 6),
                "gain": finite_or_none(gain.mean, 6),
                "low": finite_or_none(gain.low, 6),
                "high": finite_or_none(gain.high, 6),
                "frames": gain.frames,
            }
            for name, gain in self.gains.items()
        }
        models = [
            {"name": name, **report.as_json()} for name, report in zip(self.names, self.reports, strict=True)
        ]
        return {"models": models, "gains": gains, "notes": list(self.notes)}


def compare_models(
    first: str, second: str, request: EvaluationRequest, settings: Settings, cluster: Cluster
) -> ModelComparison:
    """Compare two models on the same frames.

    Args:
        first: A file, a registry version or an alias.
        second: The other one.
        request: The dataset; a class of its mapping may be of one model only.
        settings: Input size, and where models and state are kept.
        cluster: Starts Ray; entered from 1,000 images on.

    Raises:
        DatasetError: The dataset cannot be read, or the classes do not match.
        ModelError: A model cannot be used.
    """
    labels = open_labels(request, open_store(settings))
    models = find_model(first, settings), find_model(second, settings)
    unknown = [a for a in request.mapping if all(a not in model.names for model in models)]
    if unknown:
        raise DatasetError(f"the mapping names {unknown[0]!r}, which is no class of either model")
    one, other = (_detect(model, labels, request, settings, cluster) for model in models)
    frames = [
        JudgedFrame(e.truth(), e.ignored(), theirs, ours, e.slices)
        for e, theirs, ours in zip(labels.examples, one, other, strict=True)
    ]
    dataset = labels.joined.dataset
    reports = evaluate(dataset, labels.examples, one), evaluate(dataset, labels.examples, other)
    return ModelComparison((first, second), reports, judge(frames, JudgePolicy()).gains, labels.notes)


def _detect(
    model: ModelFile, labels: LabeledImages, request: EvaluationRequest, settings: Settings, cluster: Cluster
) -> list[Detections]:
    mapping = {own: name for own, name in request.mapping.items() if own in model.names}
    return detect(model, labels, mapping, settings, cluster)


def print_comparison(console: Console, comparison: ModelComparison) -> None:
    """Print mAP50 by slice, with the interval of the gain, and by class."""
    table = Table(box=None, pad_edge=False)
    table.add_column("mAP50")
    for name in ("frames", *comparison.names, "gain", "95 % interval"):
        table.add_column(name, justify="right")
    for name, gain in comparison.gains.items():
        interval = f"{gain.low:+.3f} to {gain.high:+.3f}"
        scores = (f"{gain.champion:.3f}", f"{gain.candidate:.3f}", f"{gain.mean:+.3f}")
        table.add_row(name, str(gain.frames), *scores, interval)
    one, other = (report.by_class for report in comparison.reports)
    for name in one:
        before, after = one[name].map50, other[name].map50
        table.add_row(name, "", f"{before:.3f}", f"{after:.3f}", f"{after - before:+.3f}", "")
    console.print(table)
