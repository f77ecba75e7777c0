"""Datasets that are sent and fetched over HTTP."""

import threading
from typing import Any, BinaryIO

from flows.service.parts.state import ServiceState
from streetloop.control.evaluation_control import DatasetForm, DatasetView
from streetloop.errors import ConfigError, DatasetError, NotFound, QueueFull
from streetloop.host.processes import in_own_process

_RETRY_AFTER_S = 30


class DatasetService(ServiceState):
    """See `streetloop.control.port.Control`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._importing = threading.Lock()
        self._zipping = threading.Lock()

    def import_archive(self, archive: BinaryIO, images: str | None, split: str | None) -> DatasetView:
        """See `Control.import_archive`."""
        # Not at the top: they load what reads and decodes images.
        from flows.learning.sent_dataset import import_unpacked, unpacked

        if not self._importing.acquire(blocking=False):
            raise QueueFull("another dataset is being imported; ask again later", _RETRY_AFTER_S)
        try:
            with unpacked(archive, self._settings.home / "uploads") as folder:
                # Apart, at the lowest priority: it decodes every image, beside live pictures.
                summary = in_own_process(import_unpacked, self._settings, folder, images, split)
        except DatasetError as error:
            raise ConfigError(str(error)) from error
        finally:
            self._importing.release()
        return DatasetView(**{name: summary[name] for name in DatasetView.model_fields})

    def dataset_archive(self, digest: str, form: DatasetForm) -> BinaryIO:
        """See `Control.dataset_archive`."""
        # Not at the top: they load what reads images.
        from train.data.dataset import load_dataset
        from train.data.formats.archive import write_archive

        try:
            dataset = load_dataset(self._store, digest)
        except DatasetError as error:
            raise NotFound(str(error)) from error
        if not self._zipping.acquire(blocking=False):
            raise QueueFull("another dataset is being written as a zip; ask again later", _RETRY_AFTER_S)
        try:
            return write_archive(dataset, self._store, form, self._settings.home / "downloads")
        finally:
            self._zipping.release()
