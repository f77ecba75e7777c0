"""Where images of a labels file may be, and which split its name says."""

import os.path
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from streetloop.errors import DatasetError
from streetloop.host.paths import is_file
from train.data.dataset import TEST, TRAIN, VALIDATION

_TEST_NAME = re.compile(r"(?<![A-Za-z])(?i:test)|(?<=[a-z])Test")  # where a word begins


def find_image(name: str, folders: Sequence[Path], file: Path) -> Path:
    """Find an image that a file names.

    Args:
        name: A name or a relative path, also one of Windows.
        folders: Looked through in this order; no name leads out of them, though a link in them may.
        file: Names the image; for the message.

    Raises:
        DatasetError: It is in none of them.
    """
    for folder in folders:
        for text in (name, name.replace("\\", "/")):
            found = _normal(folder / text)
            if found.is_relative_to(_normal(folder)) and is_file(found, DatasetError):
                return found
    if not _normal(folders[0] / name).is_relative_to(_normal(folders[0])):
        raise DatasetError(f"{file}: {name!r} leads out of {folders[0]}")
    raise DatasetError(f"{file}: there is no image {name!r} in {folders[0]}; --images names their folder")


def _normal(path: Path) -> Path:
    """The absolute path without ``..``; links stay, as data sets of links to a shared disk need."""
    return Path(os.path.abspath(path))  # noqa: PTH100 (Path.resolve follows links)


def split_of(path: Path, wanted: str | None) -> str:
    """The split of all images of a file.

    >>> split_of(Path("bdd/det_train.json"), None), split_of(Path("labels.json"), None)
    ('train', 'val')
    >>> split_of(Path("test2017.json"), None), split_of(Path("latest.json"), None)
    ('test', 'val')

    Args:
        path: The file or folder.
        wanted: A split that is asked for; None reads it from the name, else validation.
    """
    if wanted is not None:
        return wanted
    if TRAIN in path.stem.lower():
        return TRAIN
    return TEST if _TEST_NAME.search(path.stem) else VALIDATION


class ClassIds:
    """Class ids in the order in which names are met.

    Args:
        names: Names that are known from the start.

    Attributes:
        names: The names so far; a class id is an index into them.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names = list(names)

    def of(self, name: str) -> int:
        """The id of a name; a new name gets the next one."""
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)
