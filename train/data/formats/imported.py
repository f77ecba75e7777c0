"""A dataset read from other people's files: the labels, where the images are, what was mended."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from streetloop.errors import DatasetError, StoreError
from streetloop.storage.store import ObjectStore, StoredObject, image_key
from train.data.dataset import Dataset


@dataclass(frozen=True)
class ImportedDataset:
    """A dataset whose images are still where they were found.

    Attributes:
        dataset: The labels.
        files: The file of each image, by the key that it gets in an object store.
        notes: What was mended or left out, one sentence each; empty for clean files.
    """

    dataset: Dataset
    files: Mapping[str, Path]
    notes: tuple[str, ...] = ()


class ImagesInPlace:
    """A read-only `ObjectStore` of files that stay where they are.

    Args:
        files: The file of each image by key.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = dict(files)

    def get(self, key: str) -> bytes:
        """See `ObjectStore.get`."""
        try:
            return self._files[key].read_bytes()
        except KeyError:
            raise StoreError(f"no image {key!r}") from None
        except OSError as error:
            raise StoreError(f"{self._files[key]}: cannot be read: {error.strerror}") from error

    def keys(self, prefix: str = "") -> Iterator[str]:
        """See `ObjectStore.keys`."""
        yield from sorted(key for key in self._files if key.startswith(prefix))

    def objects(self, prefix: str = "") -> Iterator[StoredObject]:
        """See `ObjectStore.objects`."""
        for key in self.keys(prefix):
            status = self._files[key].stat()
            yield StoredObject(key, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    def put(self, key: str, data: bytes) -> None:  # noqa: ARG002
        """Refuse: the files are not ours."""
        raise StoreError(f"{key!r} cannot be written among files that are read in place")

    def delete(self, key: str) -> None:
        """Refuse: the files are not ours."""
        raise StoreError(f"{key!r} cannot be removed from files that are read in place")

    def uri(self, prefix: str) -> str:
        """Refuse: the files have no common place."""
        raise StoreError(f"files that are read in place have no common address for {prefix!r}")


def store_images(
    imported: ImportedDataset, store: ObjectStore, progress: Callable[[int], None] = lambda _: None
) -> int:
    """Copy images into the object store; one that is there already is not written again.

    Args:
        imported: Names the files.
        store: Receives the images.
        progress: Called with the number of images looked at.

    Returns:
        The number of images that were written.

    Raises:
        DatasetError: A file changed after its labels were read.
        StoreError: A file cannot be read, or the store not written.
    """
    known = set(store.keys("frames/"))
    source = ImagesInPlace(imported.files)
    written = 0
    for number, (key, path) in enumerate(imported.files.items(), start=1):
        if key not in known:
            data = source.get(key)
            if image_key(data, key.rpartition(".")[2])[1] != key:
                raise DatasetError(f"{path}: changed while it was read; import again")
            store.put(key, data)
            written += 1
        progress(number)
    return written
