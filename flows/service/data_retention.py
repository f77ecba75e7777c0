"""Retention of all that is not video: logs, images, periods, replays, events, minutes, datasets."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from flows.archive.object_retention import ObjectRemoval, objects_to_remove
from flows.learning.dataset_catalog import datasets_in_use, prune_datasets
from streetloop.ledger import Ledger
from streetloop.ledger.evaluations import datasets_measured
from streetloop.ledger.events import count_events_before, evidence_keys, remove_events
from streetloop.ledger.history.camera_minutes import count_minutes_before, remove_minutes_before
from streetloop.ledger.reviews import list_image_keys
from streetloop.settings import Settings
from streetloop.storage.store import ObjectStore
from train.data.catalog import list_datasets
from train.data.dataset import DATASETS


@dataclass(frozen=True, slots=True)
class DataRemovals:
    """What is to go.

    Attributes:
        objects: Objects of the store.
        events: Number of events.
        events_before: Those that ended before; None if all stay.
        datasets: Digests of datasets that nothing refers to.
        minutes: Number of minutes of cameras.
        minutes_before: Those that began before; None if all stay.
    """

    objects: tuple[ObjectRemoval, ...] = ()
    events: int = 0
    events_before: datetime | None = None
    datasets: tuple[str, ...] = ()
    minutes: int = 0
    minutes_before: datetime | None = None

    def sums(self) -> dict[str, tuple[int, int]]:
        """Number and bytes of the objects, by class."""
        found: dict[str, tuple[int, int]] = {}
        for one in self.objects:
            count, size = found.get(one.object_class, (0, 0))
            found[one.object_class] = count + 1, size + one.stored.bytes
        return found


def plan_data_removal(ledger: Ledger, store: ObjectStore, settings: Settings, now: datetime) -> DataRemovals:
    """What the rules of ``keep_days`` no longer keep.

    Args:
        ledger: Names images and evidence that stay.
        store: Has the objects.
        settings: Have the rules.
        now: The time (UTC).

    Raises:
        StoreError: The store does not answer.
        RegistryError: The registry does not answer, which says what datasets are used.
    """
    days = {str(name): value for name, value in settings.keep_days.items()}
    if not days:
        return DataRemovals()
    before = now - timedelta(days=days["events"]) if "events" in days else None
    first_minute = now - timedelta(days=days["minutes"]) if "minutes" in days else None
    datasets = list(list_datasets(store))
    used = {*list_image_keys(ledger), *evidence_keys(ledger, since=before)}
    used |= {example.key for dataset in datasets for example in dataset.examples}
    old = _old_datasets(store, days["datasets"], now) if "datasets" in days else set()
    parents = {one.digest: one.parents for one in datasets}
    unused = _unused(old, parents, datasets_in_use(settings) | datasets_measured(ledger)) if old else ()
    return DataRemovals(
        tuple(objects_to_remove(store.objects(), days, used, now)),
        0 if before is None else count_events_before(ledger, before),
        before,
        unused,
        0 if first_minute is None else count_minutes_before(ledger, first_minute),
        first_minute,
    )


def remove_data(ledger: Ledger, store: ObjectStore, settings: Settings, removals: DataRemovals) -> None:
    """Remove what `plan_data_removal` named: what refers to objects goes before them.

    Raises:
        StoreError: The store refused; what was removed until then is gone.
        LedgerError: The ledger cannot be written.
    """
    if removals.events_before is not None:
        remove_events(ledger, removals.events_before)
    if removals.minutes_before is not None:
        remove_minutes_before(ledger, removals.minutes_before)
    if removals.datasets:
        prune_datasets(settings, removals.datasets, only_look=False)
    for one in removals.objects:
        store.delete(one.stored.key)


def _old_datasets(store: ObjectStore, days: float, now: datetime) -> set[str]:
    """Digests of the datasets whose manifest is older than so many days."""
    found = store.objects(f"{DATASETS}/")
    return {
        one.key.removeprefix(f"{DATASETS}/").removesuffix(".json")
        for one in found
        if now - one.stored_at > timedelta(days=days) and one.key.endswith(".json")
    }


def _unused(old: set[str], parents: Mapping[str, Collection[str]], used: Collection[str]) -> tuple[str, ...]:
    """Those that no version, no training, no evaluation and no dataset that stays needs."""
    going = {digest for digest in old if digest in parents and digest not in used}
    while needed := {p for digest, own in parents.items() if digest not in going for p in own} & going:
        going -= needed
    return tuple(sorted(going))
