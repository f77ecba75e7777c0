"""A model that is sent: bounded, opened apart, never a pickle."""

import contextlib
import re
import resource
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PureWindowsPath
from typing import BinaryIO

from flows.learning.register_file import FirstScores, named_model, register_file
from streetloop.counted_classes import is_one_line
from streetloop.errors import ConfigError, InputRejected, InputTooLarge, ModelError, StoreError
from streetloop.settings import Settings
from train.model.model_file import ModelFile, has_weights_beside

MAX_MODEL_BYTES = 512 * 2**20

_FOLDER = "sent-models"
_MAX_STEM = 64
_MAX_CLASSES, _MAX_CLASS_NAME = 10_000, 100
_CPU_S, _MEMORY_BYTES = 300, 8 * 2**30  # of the process that opens it
_CHUNK = 2**20
_PICKLE = (
    "a .pt file is a Python pickle, and opening it runs code from it, so none is taken from elsewhere; "
    "send the model as ONNX, or register it on the server: `streetloop models register FILE`"
)


@contextlib.contextmanager
def sent_file(file: BinaryIO, name: str, home: Path) -> Iterator[Path]:
    """A model that was sent as a file in a folder of its own, for the ``with`` block.

    Args:
        file: What was sent.
        name: Its name, as whoever sent it gave it; letters, digits, ``.``, ``_`` and ``-`` stay.
        home: Home of the installation; what a killed process left in it is removed.

    Raises:
        InputRejected: It is no ``.onnx`` file by its name.
        InputTooLarge: It has more than `MAX_MODEL_BYTES`.
        StoreError: The home cannot be written.
    """
    given = PureWindowsPath(name)  # which parts at both kinds of slashes
    if given.suffix.lower() == ".pt":
        raise InputRejected(_PICKLE)
    if given.suffix.lower() != ".onnx":
        raise InputRejected(f"{given.name[:100]!r} is no .onnx file; send a detector as ONNX")
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", given.stem).strip(".-")[:_MAX_STEM] or "model"
    root = home / _FOLDER
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root) as folder:
        path = Path(folder) / f"{stem}.onnx"
        try:
            _copy(file, path)
        except OSError as error:
            raise StoreError(f"the model cannot be written into the home: {error.strerror}") from error
        yield path


def register_apart(settings: Settings, path: Path, classes: Sequence[str] | None) -> int:
    """As `register_sent`, in a process of its own, whose time and memory this bounds.

    Args:
        settings: The registry.
        path: From `sent_file`.
        classes: Names by class id; None keeps those of the file.
    """
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))
    return register_sent(settings, path, classes)


def register_sent(settings: Settings, path: Path, classes: Sequence[str] | None) -> int:
    """Register a model that was sent, by the rules of ``streetloop models register``.

    Args:
        settings: The registry.
        path: From `sent_file`.
        classes: Names by class id; None keeps those of the file.

    Returns:
        Number of the version.

    Raises:
        ConfigError: It is no detector that runs here, or the names do not fit.
        RegistryError: The registry does not answer.
    """
    try:
        model = _opened(settings, path, classes)
    except (ModelError, ConfigError) as error:
        sentence = str(error).replace(f"{path.parent}/", "").removeprefix("--")
        raise ConfigError(sentence) from None
    return register_file(settings, str(path), model, FirstScores()).number


def _opened(settings: Settings, path: Path, classes: Sequence[str] | None) -> ModelFile:
    if has_weights_beside(path):  # before they are looked for: a path may lead anywhere
        raise ConfigError(f"{path.name} names other files for its weights; send one file with all of it")
    return named_model(str(path), classes, settings, path.parent)


def class_names(text: str | None) -> list[str] | None:
    """The names of a list with commas, in the order of the class ids; None for none.

    >>> class_names(" car, bus ")
    ['car', 'bus']

    Args:
        text: The list.

    Raises:
        ConfigError: A name is empty, too long or has a line break, or there are too many.
    """
    if text is None or not text.strip():
        return None
    names = [name.strip() for name in text.split(",")]
    wrong = next((name for name in names if not _is_name(name)), None)
    if wrong is not None:
        raise ConfigError(f"classes: {wrong[:_MAX_CLASS_NAME]!r} is no name of a class")
    if len(names) > _MAX_CLASSES:
        raise ConfigError(f"classes: at most {_MAX_CLASSES} names")
    return names


def _is_name(name: str) -> bool:
    return 0 < len(name) <= _MAX_CLASS_NAME and is_one_line(name)


def _copy(source: BinaryIO, target: Path) -> None:
    left = MAX_MODEL_BYTES
    with target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise InputTooLarge(f"the model has more than {MAX_MODEL_BYTES >> 20} MB")
            file.write(chunk)
