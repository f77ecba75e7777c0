"""``streetloop dataset``: datasets come in, are listed and compared, and go out again."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flows.learning.training_plan import used_datasets
from streetloop.errors import ConfigError, DatasetError
from streetloop.host.paths import PathKind, kind_of
from streetloop.ledger import open_ledger
from streetloop.ledger.reviews import list_image_keys
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from train.data.catalog import Removal, plan_removal, remove, summary_of
from train.data.checkout import read_checkout
from train.data.dataset import SPLITS, save_dataset
from train.data.formats import ImportedDataset, read_coco, read_yolo, store_images
from train.data.formats.bdd100k import read_bdd100k
from train.data.formats.kitti import read_kitti
from train.data.formats.label_studio import read_label_studio
from train.data.formats.mot import read_mot
from train.model.find_model import has_registry, open_registry

Reader = Callable[[Path, Path | None, str | None], ImportedDataset]

_READERS: dict[str, Reader] = {
    "coco": read_coco,
    "label-studio": read_label_studio,
    "bdd100k": read_bdd100k,
    "kitti": read_kitti,
    "mot": read_mot,
}
_OWN_SPLITS: dict[str, Callable[[Path], ImportedDataset]] = {"yolo": read_yolo, "checkout": read_checkout}
FORMATS = ("yolo", "coco", "label-studio", "bdd100k", "kitti", "mot", "checkout")


def import_dataset(
    settings: Settings,
    name: str,
    path: Path,
    images: Path | None = None,
    split: str | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Read a dataset of another tool into the object store.

    Args:
        settings: Where the object store is.
        name: One of `FORMATS`.
        path: The file or folder that the format's reader takes.
        images: Folder of the images where the format does not say it.
        split: The split of all images, where the format has none of its own.
        progress: Called with the number of images stored.

    Returns:
        The summary of `train.data.catalog.summary_of`, with ``notes`` and ``stored``, the number of
        images that were not there before.

    Raises:
        ConfigError: The format is unknown, or takes no such option.
        DatasetError: The files cannot be read.
    """
    if name not in FORMATS:
        raise ConfigError(f"--format {name!r}: formats are {', '.join(FORMATS)}")
    if split is not None and split not in SPLITS:
        raise ConfigError(f"--split {split!r}: splits are {', '.join(SPLITS)}")
    if name in _OWN_SPLITS and (images is not None or split is not None):
        raise ConfigError(f"--images and --split are not for --format {name}: its files say both")
    if kind_of(path, DatasetError) is PathKind.NOTHING:
        raise DatasetError(f"{path}: no such file or folder")
    imported = _OWN_SPLITS[name](path) if name in _OWN_SPLITS else _READERS[name](path, images, split)
    return store_dataset(settings, imported, progress)


def store_dataset(
    settings: Settings, imported: ImportedDataset, progress: Callable[[int], None] = lambda _: None
) -> dict[str, Any]:
    """Copy a dataset's images and manifest into the object store; see `import_dataset`."""
    store = open_store(settings)
    stored = store_images(imported, store, progress)
    save_dataset(store, imported.dataset)
    return {**summary_of(imported.dataset), "notes": list(imported.notes), "stored": stored}


def datasets_in_use(settings: Settings) -> set[str]:
    """Digests of the datasets that a training or a version needs.

    Raises:
        TrainingError: A plan is damaged.
        RegistryError: The registry does not answer.
    """
    used = set(used_datasets(settings))
    return used | open_registry(settings).datasets() if has_registry(settings) else used


def prune_datasets(settings: Settings, digests: Sequence[str], *, only_look: bool) -> Removal:
    """Remove datasets, and their images that nothing else needs.

    Args:
        settings: Object store, registry and ledger.
        digests: The datasets, each by its digest or the start of it.
        only_look: True removes nothing.

    Raises:
        DatasetError: One is unknown, or a version, a training or another dataset needs it.
    """
    used = datasets_in_use(settings)
    ledger = open_ledger(settings.ledger)
    try:
        kept = list_image_keys(ledger)
    finally:
        ledger.close()
    store = open_store(settings)
    removal = plan_removal(store, digests, used, kept)
    if not only_look:
        remove(store, removal)
    return removal
