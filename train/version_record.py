"""What describes a version of the registry, and its form in MLflow's tags."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from streetloop.errors import RegistryError

_TAG = "streetloop."
_MAP50 = "map50/"
_MAX_TAG = 5000  # characters, by MLflow's limit
_CLASSES = f"{_TAG}classes"
_NEEDED = {"classes": "class names", "model_version": "the stamp of its detections"}


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """What describes a version; unknown fields of a foreign version are empty.

    Attributes:
        dataset: Digest of the training dataset: the lineage finds its labels by it.
        parent: Number of the version that the training started from; None for a first.
        classes: Class names; labels made with this model's boxes are read with them.
        commit: The code as `git describe` names it.
        recipe: Options of the training; the same options on the same dataset repeat it.
        scores: mAP50 by slice, such as ``map50/night``, each in [0, 1].
        trigger: What started the training, such as a drift finding and its causes.
        verdict: The judge's reasons, one sentence each.
        accepted: True lets it challenge the champion; None if it was not judged.
        model_version: The stamp of its detections.
        champion_scores: The same metrics of the champion, on the same frames.
        seconds: How long the epochs took; 0 if unknown.
        thresholds: Confidence from which on a class is shown, by class name; may be changed later.
        class_scores: mAP50 by class name, on the frames that judged it.
        champion_class_scores: The same of the champion, on the same frames.
    """

    dataset: str
    parent: int | None
    classes: tuple[str, ...]
    commit: str
    recipe: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    trigger: Mapping[str, Any] = field(default_factory=dict)
    verdict: tuple[str, ...] = ()
    model_version: str = ""
    accepted: bool | None = None
    champion_scores: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    thresholds: Mapping[str, float] = field(default_factory=dict)
    class_scores: Mapping[str, float] = field(default_factory=dict)
    champion_class_scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the registry.

    Attributes:
        number: Counts from 1.
        made_at: When it was registered (UTC).
        run_id: MLflow's id of the training run; empty without one.
        aliases: Such as ``champion``.
        record: What describes it.
    """

    number: int
    made_at: datetime
    run_id: str
    aliases: tuple[str, ...]
    record: VersionRecord

    @property
    def lacks(self) -> tuple[str, ...]:
        """What a version that other software made lacks to be used here; empty for our own."""
        missing = [words for name, words in _NEEDED.items() if not getattr(self.record, name)]
        return tuple(missing if self.run_id else ["a run with its files", *missing])


_RECORD = TypeAdapter(VersionRecord)


def slice_scores(scores: Mapping[str, float]) -> dict[str, float]:
    """mAP50 by slice, where it is known; ``all`` is every frame.

    >>> slice_scores({"map50/all": 0.5, "map50/fog": float("nan"), "loss": 0.1})
    {'all': 0.5}

    Args:
        scores: Of a record.
    """
    return {
        name.removeprefix(_MAP50): score
        for name, score in scores.items()
        if name.startswith(_MAP50) and math.isfinite(score)
    }


def record_to_json(record: VersionRecord) -> str:
    """A record as JSON."""
    return json.dumps({one.name: getattr(record, one.name) for one in fields(record)})


def record_to_tags(record: VersionRecord) -> dict[str, str]:
    """A record as tags of MLflow.

    Class names that are too long for a tag are spread over ``streetloop.classes.0`` and so on; any
    other value that is too long is left out.
    """
    written = {key: json.dumps(value) for key, value in json.loads(record_to_json(record)).items()}
    # A longer value is only in the record file beside the model: a cut one could not be read.
    tags = {f"{_TAG}{key}": text for key, text in written.items() if len(text) <= _MAX_TAG}
    if _CLASSES not in tags:
        names = written["classes"]
        parts = [names[start : start + _MAX_TAG] for start in range(0, len(names), _MAX_TAG)]
        tags |= {f"{_CLASSES}.{k}": part for k, part in enumerate(parts)}
    return tags


def thresholds_to_tag(record: VersionRecord, thresholds: Mapping[str, float]) -> tuple[str, str]:
    """Name and value of the tag that replaces a version's thresholds.

    Args:
        record: Of the version.
        thresholds: Confidence by class name.

    Raises:
        RegistryError: The version has no such class, or the table is too long for a tag.
    """
    unknown = [name for name in thresholds if name not in record.classes]
    if unknown:
        raise RegistryError(f"the version has no class {unknown[0]!r}")
    text = json.dumps(dict(thresholds))
    if len(text) > _MAX_TAG:
        raise RegistryError(f"thresholds of {len(thresholds)} classes are too long for MLflow's tags")
    return f"{_TAG}thresholds", text


def record_from_tags(tags: Mapping[str, str]) -> VersionRecord:
    """Read what `record_to_tags` wrote; other tags do not matter.

    >>> record_from_tags({"streetloop.classes": '["car"]', "team": "roads"}).classes
    ('car',)

    Raises:
        RegistryError: A tag of ours was changed to something that cannot be read.
    """
    known = {one.name for one in fields(VersionRecord)}
    values: dict[str, Any] = {"dataset": "", "parent": None, "classes": (), "commit": ""}
    for key, text in _joined(tags).items():
        name = key.removeprefix(_TAG)
        if key.startswith(_TAG) and name in known:
            try:
                values[name] = json.loads(text)
            except ValueError:
                raise RegistryError(f"its tag {key} is not JSON: {text[:40]!r}") from None
    try:
        return _RECORD.validate_python(values)
    except ValidationError as error:
        place = error.errors()[0]
        raise RegistryError(f"its tag {_TAG}{place['loc'][0]} cannot be used: {place['msg']}") from None


def _joined(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags, with class names that are spread over several in one."""
    parts: list[str] = []
    while (part := tags.get(f"{_CLASSES}.{len(parts)}")) is not None:
        parts.append(part)
    return {**tags, _CLASSES: "".join(parts)} if parts else dict(tags)


def dataset_from_tags(tags: Mapping[str, str]) -> str:
    """The dataset of a version alone, also where other tags cannot be read; empty without one.

    Raises:
        RegistryError: It is no digest.
    """
    try:
        digest = json.loads(tags.get(f"{_TAG}dataset", '""'))
    except ValueError:
        digest = None
    if not isinstance(digest, str):
        raise RegistryError(f"a version's tag {_TAG}dataset is no digest")
    return digest
