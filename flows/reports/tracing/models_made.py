"""Datasets, learning runs, versions and rollouts, each with those that it is linked to."""

from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar

from flows.reports.tracing.asked import TraceKind
from flows.reports.tracing.way import Way
from streetloop.errors import DatasetError, NotFound
from streetloop.ledger import Ledger
from streetloop.ledger.learning import LearningRun, list_learning
from streetloop.ledger.reviews import FrameRecord
from streetloop.ledger.rollouts import Rollout, list_decisions, list_rollouts
from streetloop.settings import Settings
from streetloop.storage.store import ObjectStore
from train.data.dataset import Dataset, load_dataset
from train.model.find_model import has_registry, open_registry
from train.version_record import Version

_MAX_ROWS = 1000

T = TypeVar("T")


class ModelsMade:
    """What became of labels.

    Args:
        settings: Where the registry is.
        ledger: Has learning runs and rollouts.
        store: Has the datasets.
    """

    def __init__(self, settings: Settings, ledger: Ledger, store: ObjectStore) -> None:
        self._ledger, self._store = ledger, store
        self.versions: list[Version] = []
        if has_registry(settings):
            self.versions = sorted(open_registry(settings).versions(), key=lambda one: one.number)
        self._loaded: dict[str, Dataset | None] = {}
        self._images: dict[str, frozenset[str]] = {}

    def load(self, digest: str) -> Dataset | None:
        """The dataset of a digest; None where its manifest is gone or was changed."""
        if digest not in self._loaded:
            try:
                self._loaded[digest] = load_dataset(self._store, digest)
            except DatasetError:
                self._loaded[digest] = None
        return self._loaded[digest]

    def seed(self, way: Way) -> None:
        """Find what was asked for, and what it is linked to.

        Raises:
            NotFound: There is no such thing.
        """
        kind, asked = way.asked
        if kind is TraceKind.DATASET:
            self._take_datasets(way, [self._digest(asked)])
            self._take_versions(way, [v for v in self.versions if v.record.dataset in way.datasets])
            return
        if kind is TraceKind.VERSION:
            numbers = {str(v.number) for v in self.versions if asked in (str(v.number), *v.aliases)}
        elif kind is TraceKind.LEARNING:
            run = _only([one for one in self._learning() if one.id == int(asked)], way)
            numbers, way.learning = {str(run.detail.get("version"))}, [run]
        else:
            rollout = _only([one for one in self._rollouts() if one.id == int(asked)], way)
            numbers, way.rollouts = {rollout.model}, [rollout]
        found = [v for v in self.versions if str(v.number) in numbers]
        if kind is TraceKind.VERSION and not found:
            raise NotFound(f"there is no version {asked!r}; `streetloop models` lists them")
        self._take_datasets(way, [v.record.dataset for v in found if v.record.dataset])
        self._take_versions(way, found)

    def follow(self, way: Way) -> None:
        """From the frames of a way to the datasets that have their labels, and on."""
        digests = {frame.digest for frame in way.frames}
        of_versions = {v.record.dataset for v in self.versions if v.record.dataset}
        noted = {frame.dataset for frame in way.frames if frame.dataset}
        self._take_datasets(
            way, [one for one in sorted(of_versions | noted) if one in noted or self._has(one, digests)]
        )
        self._take_versions(way, [v for v in self.versions if v.record.dataset in way.datasets])

    def images(self, digests: Iterable[str]) -> set[str]:
        """Digests of the images of some datasets."""
        return {image for digest in digests for image in self._images_of(digest)}

    def datasets_of(self, frame: FrameRecord, digests: Iterable[str]) -> list[str]:
        """Those of some datasets that have the label of a frame."""
        return [one for one in digests if one == frame.dataset or self._has(one, {frame.digest})]

    def newest_reason(self, rollout: Rollout) -> str | None:
        """Why a rollout is where it is."""
        entries = list_decisions(self._ledger, rollout.id)
        return entries[-1].reason if entries else None

    def gaps(self, way: Way) -> list[str]:
        """What is not known of them, one sentence each."""
        of_runs = {str(run.detail.get("version")) for run in way.learning}
        rolled_out = {rollout.model for rollout in way.rollouts}
        numbers = {str(version.number) for version in way.versions}
        found = [
            f"the manifest of dataset {one[:12]} is gone" for one, n in way.datasets.items() if n is None
        ]
        for version in way.versions:
            if not version.record.dataset:
                found.append(f"version {version.number} was registered as a file: its dataset is not known")
            elif str(version.number) not in of_runs:
                found.append(f"version {version.number} is of no learning run: a command trained it")
            if str(version.number) not in rolled_out:
                found.append(f"version {version.number} was in no rollout")
        found += [
            f"rollout {one.id} is of {one.model}, which is no version of the registry"
            for one in way.rollouts
            if one.model not in numbers
        ]
        if way.asked.kind is TraceKind.LEARNING and not way.versions:
            found += [f"learning run {run.id} has made no version: {run.step}" for run in way.learning]
        return found

    def _take_datasets(self, way: Way, digests: Iterable[str]) -> None:
        for digest in digests:
            dataset = self.load(digest)
            way.datasets[digest] = None if dataset is None else len(dataset)

    def _take_versions(self, way: Way, versions: Sequence[Version]) -> None:
        numbers = {str(version.number) for version in versions}
        way.versions = list(versions)
        known = {run.id for run in way.learning}
        way.learning += [
            run
            for run in self._learning()
            if run.id not in known and str(run.detail.get("version")) in numbers
        ]
        known = {rollout.id for rollout in way.rollouts}
        way.rollouts += [one for one in self._rollouts() if one.id not in known and one.model in numbers]

    def _has(self, digest: str, images: Collection[str]) -> bool:
        return not self._images_of(digest).isdisjoint(images)

    def _images_of(self, digest: str) -> frozenset[str]:
        if digest not in self._images:
            dataset = self.load(digest)
            self._images[digest] = frozenset(() if dataset is None else (e.image for e in dataset.examples))
        return self._images[digest]

    def _digest(self, start: str) -> str:
        known = {v.record.dataset for v in self.versions if v.record.dataset.startswith(start)}
        if len(known) == 1:
            return known.pop()  # also where its manifest is gone
        try:
            return load_dataset(self._store, start).digest
        except DatasetError as error:
            raise NotFound(f"{error}; `streetloop dataset list` lists them") from None

    def _learning(self) -> list[LearningRun]:
        return list(reversed(list_learning(self._ledger, most=_MAX_ROWS)))

    def _rollouts(self) -> list[Rollout]:
        return list(reversed(list_rollouts(self._ledger, _MAX_ROWS)))


def _only(found: Sequence[T], way: Way) -> T:
    if not found:
        raise NotFound(f"there is no {way.asked.kind} {way.asked.id}")
    return found[0]
