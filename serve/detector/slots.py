"""Which model an application serves: noted where each replica finds it, whenever it starts.

A slot is the place of an application's model. The rollout writes it. A replica reads it when it
starts and when it is told to, so one that starts in the middle of a promotion has the new model.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from streetloop.errors import StoreError
from streetloop.host.files import write_whole
from streetloop.storage.store import ObjectStore
from train.model.model_file import ModelFile, content_digest, files_of

_SLOTS, _MODELS = "slots", "models"


class Slot(Protocol):
    """The slot of one application. Replicas on other nodes are given it: it can be pickled.

    Raises:
        StoreError: What it is kept in does not answer, or holds no model.
    """

    def write(self, model: ModelFile) -> None:
        """Note a model; appears whole or not at all."""

    def model(self) -> str:
        """What is noted, for `restore`."""

    def restore(self, model: str) -> None:
        """Note again what `model` gave."""

    def read(self) -> str:
        """Path of the noted model on this node."""


class FileSlot:
    """A slot of replicas that all run on one node; the model stays where it is.

    Args:
        home: Folder of all data.
        application: Whose slot it is.
        model: The model on nodes where none was noted, as those of an image that has it.
    """

    def __init__(self, home: Path, application: str, model: ModelFile | None = None) -> None:
        self._note = home.absolute() / _SLOTS / application
        self._default = None if model is None else str(_path_of(model))

    def write(self, model: ModelFile) -> None:
        """See `Slot.write`."""
        self.restore(str(_path_of(model)))

    def model(self) -> str:
        """See `Slot.model`."""
        try:
            return self._note.read_text().strip()
        except OSError as error:
            if self._default is not None and isinstance(error, FileNotFoundError):
                return self._default
            raise StoreError(f"{self._note} names no model: {error.strerror}") from error

    def restore(self, model: str) -> None:
        """See `Slot.restore`."""
        try:
            write_whole(self._note, model)
        except OSError as error:
            raise StoreError(f"{self._note} cannot be written: {error.strerror}") from error

    def read(self) -> str:
        """See `Slot.read`."""
        return self.model()


class StoreSlot:
    """A slot of replicas on several nodes; the model travels by the object store.

    A model is stored once, under ``models/SHA256/``, and each node that needs it keeps a copy.

    Args:
        store: Which all nodes reach.
        application: Whose slot it is.
        cache: Folder of a node for models that came from elsewhere; is made there.
    """

    def __init__(self, store: ObjectStore, application: str, cache: Path) -> None:
        self._store, self._key, self._cache = store, f"{_SLOTS}/{application}", cache.absolute()

    def write(self, model: ModelFile) -> None:
        """See `Slot.write`."""
        files = files_of(_path_of(model))
        folder = f"{_MODELS}/{content_digest(files[0])}"
        kept = set(self._store.keys(f"{folder}/"))
        for file in files:
            key = f"{folder}/{file.name}"
            if key not in kept:
                self._store.put(key, file.read_bytes())
        self.restore(f"{folder}/{files[0].name}")

    def model(self) -> str:
        """See `Slot.model`."""
        return self._store.get(self._key).decode()

    def restore(self, model: str) -> None:
        """See `Slot.restore`."""
        self._store.put(self._key, model.encode())

    def read(self) -> str:
        """See `Slot.read`."""
        named = self.model()
        folder = named.rpartition("/")[0]
        here = self._cache / named
        if not here.is_file():
            for key in self._others_first(folder, named):
                write_whole(self._cache / key, self._store.get(key))
        if content_digest(here) != folder.rpartition("/")[2]:
            here.unlink(missing_ok=True)
            raise StoreError(f"the store holds another content than that of {named}; write it anew")
        return str(here)

    def _others_first(self, folder: str, named: str) -> Iterator[str]:
        """Keys of a model: the file that names the others is the last to appear."""
        yield from (key for key in self._store.keys(f"{folder}/") if key != named)
        yield named


def _path_of(model: ModelFile) -> Path:
    return (model.checkpoint or model.onnx).absolute()
