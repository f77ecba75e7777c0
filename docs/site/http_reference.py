"""The page of the HTTP API: every operation with its parameters, body and errors."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Described = Mapping[str, Any]

_JSON = "application/json"
_BOUNDS = {"minimum": "{} or more", "maximum": "at most {}", "maxLength": "at most {} characters"}
_HEAD = ["| {} | where | type | default | meaning |", "|---|---|---|---|---|"]


def http_page(description: Described) -> str:
    """The page as Markdown.

    Args:
        description: The API's, as OpenAPI has it.
    """
    lines = [
        "# HTTP",
        "",
        "All paths of a running system; `GET /docs` there tries them. Errors are problem documents "
        "(RFC 9457), and any operation may answer 400, 401, 403, 413, 422 or 503.",
        "",
    ]
    tagged: dict[str, list[tuple[str, str, Described]]] = {}
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            (tag,) = operation.get("tags") or ["service"]
            tagged.setdefault(tag, []).append((method.upper(), path, operation))
    schemas = description["components"]["schemas"]
    for tag, operations in sorted(tagged.items()):
        lines += [f"## {tag}", ""]
        for method, path, operation in operations:
            lines += [f"### `{method} {path}`", "", f"{_cell(operation.get('summary', ''))}.", ""]
            lines += [*_given(operation, schemas), *_answers(operation)]
    return "\n".join(lines)


def type_in_words(schema: Described, schemas: Mapping[str, Described]) -> str:
    """What a value may be, in words.

    Args:
        schema: Of the value.
        schemas: Those that it may refer to.
    """
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        found = schemas[name]
        return type_in_words(found, schemas) if "enum" in found else name.removesuffix("-Input")
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(_kinds(schema[key], schemas)))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{one}`" for one in schema.get("enum", [schema.get("const")]))
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {type_in_words(schema.get('items', {}), schemas)}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {type_in_words(schema['additionalProperties'], schemas)} by name"
    if schema.get("format") == "binary":
        return "file"
    bounds = [words.format(_number(schema[key])) for key, words in _BOUNDS.items() if key in schema]
    return ", ".join([kind, *bounds])


def _kinds(options: Sequence[Described], schemas: Mapping[str, Described]) -> Iterator[str]:
    for one in options:
        if one.get("type") != "null":  # the same as leaving it out
            yield type_in_words(one, schemas)


def _given(operation: Described, schemas: Mapping[str, Described]) -> list[str]:
    rows = []
    for one in operation.get("parameters", ()):
        rows.append(_row(one["name"], one["in"], one["schema"], bool(one.get("required")), one, schemas))
    content = operation.get("requestBody", {}).get("content", {})
    for media, sent in content.items():
        schema = _resolved(sent["schema"], schemas)
        where = "body" if media == _JSON else f"body, `{media}`"
        required = set(schema.get("required", ()))
        for name, one in schema.get("properties", {}).items():
            rows.append(_row(name, where, one, name in required, one, schemas))
        if "properties" not in schema:
            rows.append(_row("the body", where, schema, True, schema, schemas))
    return [_HEAD[0].format("parameter"), _HEAD[1], *rows, ""] if rows else []


def _row(
    name: str,
    where: str,
    schema: Described,
    required: bool,
    said: Described,
    schemas: Mapping[str, Described],
) -> str:
    default = schema.get("default")
    shown = "required" if required else ""
    if not required and default not in (None, "", {}, []):
        shown = f"`{default if isinstance(default, str) else json.dumps(default)}`"
    meaning = said.get("description") or schema.get("description") or ""
    cells = [f"`{name}`", where, _cell(type_in_words(schema, schemas)), shown, _cell(str(meaning))]
    return f"| {' | '.join(cells)} |"


def _answers(operation: Described) -> list[str]:
    """Those that only some operations have."""
    usual = {"200", "400", "401", "403", "413", "503"}
    invalid = "the request is invalid; the detail says why"
    said = [
        f"{status}: {_cell(answer['description'])}"
        for status, answer in sorted(operation["responses"].items())
        if status not in usual and answer["description"] not in {"Successful Response", invalid}
    ]
    return [f"- {text}" for text in said] + [""] if said else []


def _resolved(schema: Described, schemas: Mapping[str, Described]) -> Described:
    if "$ref" in schema:
        return schemas[str(schema["$ref"]).rpartition("/")[2]]
    inner = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    return _resolved(inner[0], schemas) if len(inner) == 1 else schema


def _number(value: float) -> str:
    return f"{value:g}" if abs(value) < 1e6 else str(int(value))


def _cell(text: str) -> str:
    """Text of a cell of a table: a name in it is no link and no tag."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    plain = [re.sub(r"([\[\]<>*_])", r"\\\1", one) if k % 2 == 0 else one for k, one in enumerate(parts)]
    return "".join(plain).replace("|", r"\|")
