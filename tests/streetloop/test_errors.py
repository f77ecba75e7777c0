import re

import pytest

from streetloop import errors
from streetloop.errors import StreetloopError

CLASSES = [
    value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, BaseException)
]


def tree_of_the_docstring() -> dict[str, str | None]:
    """Each class name in the module's tree with the name that it hangs from."""
    parents: dict[str, str | None] = {}
    open_branches: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"[ │├└─]{4,}(?P<name>[A-Z]\w+)", line)
        if found is None:
            continue
        name, column = found["name"], found.start("name")
        while open_branches and open_branches[-1][0] >= column:
            open_branches.pop()
        parents[name] = open_branches[-1][1] if open_branches else None
        open_branches.append((column, name))
    return parents


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_every_error_derives_from_the_root_of_the_tree(error: type[BaseException]) -> None:
    assert issubclass(error, StreetloopError)


def test_the_docstring_draws_exactly_the_tree_that_the_classes_form() -> None:
    bases = {error.__name__: error.__base__ for error in CLASSES}
    actual = {name: None if base in {None, Exception} else base.__name__ for name, base in bases.items()}
    assert tree_of_the_docstring() == actual
