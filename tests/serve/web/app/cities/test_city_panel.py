"""The tab of cities."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.service.control_service import ControlService
from serve.web.app import panels
from serve.web.app.cities.city_panel import _choices, cities, put_there, rename_it
from streetloop.errors import ConfigError, NotFound
from tests.support.app_page import Tags, words
from tests.support.control_service import Content, register_versions, running


@pytest.fixture
def content(tmp_path: Path) -> Iterator[Content]:
    content = Content(tmp_path / "home", learn_city_cron={"London": "0 5 * * 1"}, timezone="Europe/London")
    yield content
    content.ledger.close()


def test_a_city_is_a_row_with_all_it_has(content: Content) -> None:
    content.live.append(running())
    page = cities(content.service)
    assert "London 1 of 1 live a40 the model of the settings 0 5 * * 1 , its own Europe/London" in words(page)
    assert "kingsport 0 of 1 live crossing" in words(page)
    links = [attributes.get("href") for tag, attributes in Tags(page).tags if tag == "a"]
    assert links == ["/app/cameras/a40", "/app/cameras/crossing"]


def test_a_champion_leads_to_its_version(content: Content) -> None:
    register_versions(content)
    page = cities(content.service)
    assert "version 1" in words(page)
    assert 'href="/app/versions/1"' in page


def test_many_cameras_are_counted_and_a_name_is_text(content: Content) -> None:
    for number in range(14):
        document = {"id": f"c{number}", "uri": "sim://larkfield/gantry", "city": "<b>x</b>"}
        content.service.put_camera(document, "ann", new=True)
    page = cities(content.service)
    assert "and 2 more" in words(page)
    assert "<b>x</b>" not in page


def test_without_cameras_there_is_no_city(content: Content) -> None:
    nothing = ControlService(content.settings, [])
    assert "No camera yet" in words(panels.drawn(cities, nothing))


def test_cameras_are_put_into_a_city_and_it_is_renamed(content: Content) -> None:
    assert put_there(content.service, "ann", " Oslo ", ["crossing"]) == "Oslo has 1 camera now."
    assert rename_it(content.service, "ann", "Oslo", " Bergen ") == "Oslo is called Bergen now."
    cameras, names = _choices(content.service)
    assert cameras["choices"] == ["a40", "crossing"]
    assert names["choices"] == ["Bergen", "London"]


def test_empty_fields_are_told(content: Content) -> None:
    with pytest.raises(ConfigError, match="write the name of the city"):
        put_there(content.service, "ann", " ", ["a40"])
    with pytest.raises(ConfigError, match="name the cameras"):
        put_there(content.service, "ann", "Oslo", [])
    for city, name in ((None, "Oslo"), ("London", " ")):
        with pytest.raises(ConfigError, match="choose the city"):
            rename_it(content.service, "ann", city, name)
    with pytest.raises(NotFound):
        rename_it(content.service, "ann", "Oslo", "Bergen")
