"""Lists of cameras as other tools and spreadsheets write them."""

from typing import Any

import pytest

from streetloop.cameras.camera_list import MAX_LIST_CHARACTERS, ListFormat, read_camera_list
from streetloop.errors import ConfigError

A40 = {"id": "a40", "uri": "sim://kingsport/crossing"}


def table(text: str) -> list[dict[str, Any]]:
    return read_camera_list(text, "csv", "fleet.csv")


def refused(text: str, form: ListFormat = "csv") -> str:
    with pytest.raises(ConfigError) as caught:
        read_camera_list(text, form, "fleet")
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "id,uri\na40,sim://kingsport/crossing\n",
        "\ufeffid;uri\r\na40;sim://kingsport/crossing\r\n\r\n",
        'uri , id\n"sim://kingsport/crossing", a40',
        "id,uri,city,fps\na40,sim://kingsport/crossing,,\n,,,\n",
    ],
)
def test_tables_of_any_spreadsheet(text: str) -> None:
    assert table(text) == [A40]


def test_cells_are_text_but_for_the_rate() -> None:
    (row,) = table("id;uri;city;fps;record\n0017;sim://kingsport/crossing;no;2,5;off\n")
    assert row == {**A40, "id": "0017", "city": "no", "fps": 2.5, "record": "off"}
    (row,) = table("id,uri,fps\na40,sim://kingsport/crossing,fast\n")
    assert row["fps"] == "fast", "the check of the camera refuses it by name"


def test_a_cell_may_hold_commas_and_lines() -> None:
    (row,) = table('id,uri,city\na40,sim://kingsport/crossing,"Springfield, \nnorth"\n')
    assert row["city"] == "Springfield, \nnorth"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the column 'id' is missing"),
        ("id,city\na40,x\n", "fleet: the column 'uri' is missing"),
        ("id,uri,lens\na,b,c\n", "unknown column 'lens'; known are id, uri, city"),
        ("id,uri\n", "fleet: has no camera"),
        ("id,uri\na40,sim://a,b\n", "fleet: line 2: has more cells than columns"),
        ("x" * (MAX_LIST_CHARACTERS + 1), "fleet: larger than 4 MB"),
    ],
)
def test_what_is_no_such_table(text: str, said: str) -> None:
    assert said in refused(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cameras: []", "has no camera"),
        ("cameras: {a: 1}", "must be a mapping with the key 'cameras'"),
        ("- a40", "must be a mapping with the key 'cameras'"),
        ("cameras: [a40]", "camera number 1: must be a mapping"),
        ("cameras: [{id: a}]\nsettings: {learn: true}", "a list of cameras has no 'settings'"),
        ("cameras: [", "is not valid YAML"),
    ],
)
def test_what_is_no_such_yaml(text: str, said: str) -> None:
    assert said in refused(text, "yaml")
