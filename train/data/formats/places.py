"""Where images of a labels file may be, and which split its name says."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from streetloop.errors import DatasetError
from train.data.dataset import TEST, TRAIN, VALIDATION


def find_image(name: str, folders: Sequence[Path], file: Path) -> Path:
    """Find an image that a file names.

    Args:
        name: A name or a relative path, also one of Windows.
        folders: Looked through in this order; no name leads out of them.
        file: Names the image; for the message.

    Raises:
        DatasetError: It is in none of them.
    """
    for folder in folders:
        for text in (name, name.replace("\\", "/")):
            found = (folder / text).resolve()
            if found.is_relative_to(folder.resolve()) and found.is_file():
                return found
    if not (folders[0] / name).resolve().is_relative_to(folders[0].resolve()):
        raise DatasetError(f"{file}: {name!r} leads out of {folders[0]}")
    raise DatasetError(f"{file}: there is no image {name!r} in {folders[0]}; --images names their folder")


def split_of(path: Path, wanted: str | None) -> str:
    """The split of all images of a file.

    >>> split_of(Path("bdd/det_train.json"), None), split_of(Path("labels.json"), None)
    ('train', 'val')

    Args:
        path: The file or folder.
        wanted: A split that is asked for; None reads it from the name, else validation.
    """
    if wanted is not None:
        return wanted
    name = path.stem.lower()
    return next((split for split in (TRAIN, TEST) if split in name), VALIDATION)


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
