"""docs/settings.md lists every setting once, with its default."""

import os
from typing import Any

import pytest

from streetloop.settings import Settings
from tests.docs.pages import DOCS, rows

LISTED = {
    row[0].strip("`"): row[1] for row in rows(DOCS["settings.md"]) if len(row) >= 3 and row[0].startswith("`")
}


def test_it_lists_every_setting_and_no_other() -> None:
    assert set(LISTED) == set(Settings.model_fields)


def test_each_is_listed_once() -> None:
    names = [row[0] for row in rows(DOCS["settings.md"]) if row[0].startswith("`")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", sorted(set(Settings.model_fields) - {"threads"}))
def test_its_default_is_that_of_the_code(name: str) -> None:
    assert LISTED[name] == _written(Settings.model_fields[name].default)


def test_the_threads_are_the_cores() -> None:
    assert LISTED["threads"] == "all cores"
    assert Settings().threads == len(os.sched_getaffinity(0))


def _written(default: Any) -> str:
    if default is None:
        return "none"
    return str(default).lower() if isinstance(default, bool) else str(default)
