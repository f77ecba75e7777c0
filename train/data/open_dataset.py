"""Opens a dataset by name: a digest, or files of another tool, which stay where they are."""

from dataclasses import dataclass
from pathlib import Path

from streetloop.errors import DatasetError
from streetloop.host.paths import PathKind, is_folder, kind_of, refuse_address
from streetloop.storage.store import ObjectStore
from train.data.dataset import SPLITS, TEST, VALIDATION, Dataset, Example, load_dataset
from train.data.formats import ImagesInPlace, read_coco, read_yolo


@dataclass(frozen=True, slots=True)
class OpenedDataset:
    """A dataset and its images.

    Attributes:
        dataset: The labels.
        images: Gives the images by key.
        notes: What was mended in the files, one sentence each.
    """

    dataset: Dataset
    images: ObjectStore
    notes: tuple[str, ...] = ()


def open_dataset(name: str, store: ObjectStore, images: Path | None = None) -> OpenedDataset:
    """Open a dataset by its digest, or from a YOLO ``data.yaml`` or a COCO JSON.

    Args:
        name: A digest or the start of one, a ``data.yaml`` or its folder, or a ``.json``.
        store: Holds the datasets that have a digest; nothing is written to it.
        images: Folder of the images of a COCO JSON; by default near the JSON.

    Raises:
        DatasetError: There is none, or it cannot be read.
    """
    way_out = "name a digest, a data.yaml or its folder, or a COCO JSON of this machine"
    refuse_address(name, "a dataset", way_out, DatasetError)
    path = Path(name)
    kind = kind_of(path, DatasetError)
    is_yolo = path.suffix in {".yaml", ".yml"} or kind is PathKind.FOLDER
    if not is_yolo and path.suffix != ".json":
        return OpenedDataset(load_dataset(store, name), store)
    if kind is PathKind.NOTHING:
        raise DatasetError(f"{path}: no such file")
    if images is not None and not is_folder(images, DatasetError):
        raise DatasetError(f"{images}: no such folder of images")
    found = read_yolo(path) if is_yolo else read_coco(path, images)
    return OpenedDataset(found.dataset, ImagesInPlace(found.files), found.notes)


def judged_examples(dataset: Dataset, split: str | None = None) -> list[Example]:
    """The images that a model is measured on.

    Args:
        dataset: The dataset.
        split: One of `SPLITS`; None for validation and test, or all where there are none of these.

    Raises:
        DatasetError: No image is of that split.
    """
    if split is not None and split not in SPLITS:
        raise DatasetError(f"there is no split {split!r}; splits are {', '.join(SPLITS)}")
    if split is None:
        return [e for e in dataset.examples if e.split in {VALIDATION, TEST}] or list(dataset.examples)
    found = list(dataset.split(split))
    if not found:
        raise DatasetError(f"no image of the dataset is for {split}")
    return found
