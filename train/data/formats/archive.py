"""A dataset as a zip, in the layout of another tool."""

import shutil
import tempfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

from streetloop.control.evaluation_control import DatasetForm
from streetloop.errors import InputTooLarge, StoreError
from streetloop.storage.store import ObjectStore
from train.data.dataset import Dataset
from train.data.formats.export import write_coco, write_yolo

MAX_IMAGES = 20_000

_WRITERS: dict[str, Callable[[Dataset, ObjectStore, Path], object]] = {
    "coco": write_coco,
    "yolo": partial(write_yolo, names_folder=False),
}


def write_archive(dataset: Dataset, store: ObjectStore, form: DatasetForm, scratch: Path) -> BinaryIO:
    """Write a dataset as a zip into a file without a name, which is gone once it is closed.

    Images are not compressed once more.

    Args:
        dataset: The dataset.
        store: Keeps the images.
        form: ``coco`` for COCO's JSON, one for each split; ``yolo`` for a ``data.yaml`` and text
            files.
        scratch: Folder for the files meanwhile; what a killed process left in it is removed. Nobody
            else writes into it at the time.

    Returns:
        The zip, at its start; the caller closes it.

    Raises:
        InputTooLarge: It has more than `MAX_IMAGES` images.
        StoreError: An image is missing, or there is no room.
    """
    if len(dataset.examples) > MAX_IMAGES:
        raise InputTooLarge(
            f"dataset {dataset.digest[:12]} has more than {MAX_IMAGES} images; "
            f"`streetloop dataset export --{form}` writes it"
        )
    try:
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            _WRITERS[form](dataset, store, Path(folder))
            return _zipped(Path(folder), scratch)
    except OSError as error:
        raise StoreError(f"the zip of a dataset cannot be written: {error.strerror}") from error


def _zipped(folder: Path, scratch: Path) -> BinaryIO:
    archive = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115 - the caller closes it
    try:
        with zipfile.ZipFile(archive, "w") as opened:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    opened.write(path, path.relative_to(folder))
        archive.seek(0)
    except BaseException:
        archive.close()
        raise
    return archive
