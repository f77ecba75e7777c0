"""Gives a dataset back as files, byte for byte, and reads such files."""

from collections.abc import Callable
from pathlib import Path

from streetloop.errors import DatasetError, StoreError
from streetloop.host.files import write_whole
from streetloop.storage.store import ObjectStore, image_key, is_key
from train.data.dataset import Dataset, parse_manifest
from train.data.formats.imported import ImportedDataset

MANIFEST = "dataset.json"


def check_out(
    dataset: Dataset, store: ObjectStore, folder: Path, progress: Callable[[int], None] = lambda _: None
) -> None:
    """Write a dataset's manifest and images; files that are there already are kept.

    Args:
        dataset: The dataset.
        store: Keeps the images.
        folder: Receives ``dataset.json``, and each image under its key.
        progress: Called with the number of images done.

    Raises:
        DatasetError: An image in the store is not what its key says, or the folder has another
            dataset.
        StoreError: An image is missing, or the folder cannot be written to.
    """
    manifest = folder / MANIFEST
    try:
        if manifest.is_file() and manifest.read_bytes() != dataset.manifest():
            raise DatasetError(f"{folder}: holds another dataset; give an empty folder")
        for number, example in enumerate(dataset.examples, start=1):
            target = folder / example.key
            data = store.get(example.key)
            if image_key(data)[0] != example.image:
                raise DatasetError(f"image {example.image[:12]} was changed in the object store")
            if not target.is_file():
                write_whole(target, data)
            progress(number)
        write_whole(manifest, dataset.manifest())
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written: {error.strerror}") from error


def read_checkout(folder: Path) -> ImportedDataset:
    """Read what `check_out` wrote; the dataset has the same digest.

    Raises:
        DatasetError: It is no such folder, or a file was changed.
    """
    manifest = folder / MANIFEST
    try:
        dataset = parse_manifest(manifest.read_bytes(), str(manifest))
        for example in dataset.examples:
            if not is_key(example.key):
                raise DatasetError(f"{manifest}: {example.key!r} leads out of {folder}")
            if image_key((folder / example.key).read_bytes())[0] != example.image:
                raise DatasetError(f"{folder / example.key}: was changed")
    except OSError as error:
        raise DatasetError(f"{error.filename}: cannot be read: {error.strerror}") from error
    return ImportedDataset(dataset, {e.key: folder / e.key for e in dataset.examples})
