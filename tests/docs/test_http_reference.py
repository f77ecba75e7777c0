"""The page of the HTTP API has every parameter and every field of a body."""

import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

from tests.docs.pages import ROOT
from tests.support.control_service import Content, api_of, empty

__all__ = ["empty"]


@pytest.fixture
def reference(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "site"))
    yield import_module("http_reference")
    sys.modules.pop("http_reference", None)


def test_every_parameter_of_every_operation_is_there(reference: ModuleType, empty: Content) -> None:
    described: Mapping[str, Any] = api_of(empty).get("/openapi.json").json()
    sections = reference.http_page(described).split("### ")
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            (section,) = (one for one in sections if one.startswith(f"`{method.upper()} {path}`\n"))
            for one in operation.get("parameters", ()):
                assert f"| `{one['name']}` | {one['in']} |" in section, (method, path)
            for media in operation.get("requestBody", {}).get("content", {}):
                where = "body" if media == "application/json" else f"body, `{media}`"
                assert f" | {where} | " in section, (method, path)
    (add,) = (one for one in sections if one.startswith("`POST /cameras`\n"))
    assert "| `fps` | body | number, 0.001 or more, at most 1000 |  | frames to analyze per second |" in add
    assert "- 422: the camera is invalid" in add
    (listed,) = (one for one in sections if one.startswith("`GET /cameras`\n"))
    assert "| `limit` | query | integer, 1 or more, at most 200 | `50` |" in listed


def test_types_are_words_and_a_name_is_neither_tag_nor_column(reference: ModuleType) -> None:
    schemas = {"Zone": {"type": "object"}, "Name": {"enum": ["a", "b"]}}
    for schema, words in (
        ({"anyOf": [{"$ref": "#/components/schemas/Zone"}, {"type": "null"}]}, "Zone"),
        ({"$ref": "#/components/schemas/Name"}, "`a`, `b`"),
        ({"type": "array", "items": {"type": "string", "format": "binary"}}, "list of file"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "object of number by name"),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "string or integer"),
    ):
        assert reference.type_in_words(schema, schemas) == words
    operation = {"summary": "a|b <c> [d]", "responses": {}}
    page = reference.http_page({"paths": {"/x": {"get": operation}}, "components": {"schemas": schemas}})
    assert r"a\|b \<c\> \[d\]." in page
