"""Two versions on the page: curves as numbers to draw, frames as pictures with boxes."""

import json
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from serve.web.access.roles import AccessTokens, Guard
from serve.web.app.compare_panel import charted, comparison_values, evaluate_both
from serve.web.app.render import render
from serve.web.app.version_page import add_version_page
from streetloop.control.versions.comparison_details import ComparisonDetailsView, CurvePairView
from streetloop.errors import ConfigError
from tests.support.app_page import Tags, words
from tests.support.control_service import Content, api_of, register_versions
from tests.support.evaluated_versions import evaluate_versions
from tests.support.samples.tiny_model import NAMES
from train.model.find_model import open_registry
from train.model_registry import VersionRecord


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Content]:
    content = Content(tmp_path_factory.mktemp("versions"))
    register_versions(content)
    evaluate_versions(content)
    yield content
    content.ledger.close()


def _page(content: Content, first: str, second: str) -> str:
    found = content.service.compare_versions(first, second)
    page = render("comparison", **comparison_values(content.service, found))
    Tags(page)
    return page


def test_curves_and_frames_are_on_the_page(content: Content) -> None:
    page = _page(content, "1", "2")
    said = words(page)
    assert "from evaluations 1 and 2: 5 images" in said
    assert "version 1 2 missed, 0 false" in said
    assert "version 2 0 missed, 0 false" in said
    tags = Tags(page).tags
    (curves,) = (given["data-curves"] for _, given in tags if given.get("class") == "sl-curves")
    drawn = json.loads(str(curves))
    assert [chart["title"] for chart in drawn["charts"]] == ["all classes", "bus", "car"]
    assert (drawn["names"], drawn["more"], len(drawn["recalls"])) == (["version 1", "version 2"], 0, 101)
    boxes = [given["class"] for tag, given in tags if tag == "rect"]
    assert boxes == ["sl-box-truth"] * 4 + ["sl-box-right"] * 2, "twice the truth, and what one found"
    (csv,) = (given["href"] for tag, given in tags if tag == "a")
    client = api_of(content)
    pictures = {given["src"] for tag, given in tags if tag == "img"}
    for address in (str(csv), *map(str, pictures)):
        assert client.get(address).status_code == 200, address


def test_what_was_not_evaluated_says_what_to_do(content: Content) -> None:
    assert "need an evaluation of both on one dataset" in words(_page(content, "1", "3"))
    assert "sl-curves" not in _page(content, "2", "2")


def test_the_page_of_a_version_has_them_too(content: Content) -> None:
    api = FastAPI()
    add_version_page(api, content.service, Guard(AccessTokens()))
    page = TestClient(api).get("/app/versions/2?with=1")
    assert page.status_code == 200
    assert 'src="/models/1/compare/2/frames/' in page.text
    assert "uPlot" in page.text
    assert 'class="sl-curves"' in page.text
    assert 'class="sl-curves"' not in TestClient(api).get("/app/versions/2?with=3").text


def _pair(name: str | None, first: float, second: float) -> CurvePairView:
    return CurvePairView(name=name, first=[first], second=[second], first_area=first, second_area=second)


def test_of_many_classes_those_that_differ_most_are_drawn() -> None:
    classes = [_pair(f"c{k}", 0.5, 0.5 + k / 100) for k in range(20)]
    found = ComparisonDetailsView(
        first=1,
        second=2,
        evaluations=(1, 2),
        dataset="d",
        images=1,
        looked_at=1,
        confidence=0.25,
        recalls=[0.0],
        curves=[_pair(None, 0.5, 0.6), *classes],
        frames=[],
    )
    drawn = charted(found)
    assert [chart["title"] for chart in drawn["charts"][:3]] == ["all classes", "c19", "c18"]
    assert (len(drawn["charts"]), drawn["more"]) == (12, 9)


def test_both_are_evaluated_on_the_dataset_of_one(content: Content) -> None:
    for first, second, words_ in (("1", "1", "choose two"), (None, "2", "choose two"), ("1", "2", "neither")):
        with pytest.raises(ConfigError, match=words_):
            evaluate_both(content.service, first, second, "app")
    dataset = evaluate_versions(content).digest
    registry = open_registry(content.settings)
    run = registry.start("tiny", {})
    registry.register(run, content.settings.home / "tiny.onnx", VersionRecord(dataset, 1, NAMES, ""))
    registry.finish(run)
    said = evaluate_both(content.service, "1", "4", "app")
    queued = [one for one in content.service.evaluations(0, 9).items if one.state == "queued"]
    assert {(one.dataset, one.author) for one in queued} == {(dataset, "app")}
    assert [one.model for one in queued] == ["4", "1"]
    assert f"queued on dataset {dataset[:12]}" in said
