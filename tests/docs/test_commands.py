"""Every command of the docs exists with its flags; those that start no server run."""

import json
import re
import shlex
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
import typer
import yaml
from jsonschema import validate
from typer.testing import CliRunner

from flows.cli.main import app
from serve.web.api.create import create_api
from streetloop.control.port import Control
from tests.docs.pages import DOCS, ROOT, blocks, commands

STREETLOOP = [c for c in commands() if re.match(r"(\S*/)?streetloop ", c)]
RUNS = (
    ["simulate"],
    ["drift"],
    ["camera", "list"],
    ["camera", "add"],
    ["camera", "edit"],
    ["camera", "remove"],
    ["label", "status"],
    ["label", "report"],
    ["learn", "status"],
    ["learn", "now"],
    ["models"],
    ["rollout", "status"],
    ["rollout", "simulate"],
)
"""Need no server, no Ray and no model: the whole command runs, on an empty home."""


def words(command: str) -> list[str]:
    return shlex.split(command)[1:]


@pytest.mark.parametrize("command", STREETLOOP)
def test_a_command_and_its_flags_exist(command: str) -> None:
    name, *arguments = words(command)
    path = [name]
    group = typer.main.get_command(app)
    for word in [name, *arguments]:
        found = getattr(group, "commands", {}).get(word)
        if found is None:
            break
        group, path = found, [*path, word] if word != name else path
    shown = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    for flag in (a for a in arguments if a.startswith("--")):
        assert flag in shown.stdout


@pytest.mark.parametrize("command", [c for c in commands() if c.startswith("make ")])
def test_a_make_target_exists(command: str) -> None:
    target = command.split()[1]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("target", re.findall(r"^\| `make ([\w-]+)`", DOCS["contributing.md"], re.MULTILINE))
def test_a_target_of_the_contributors_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_commands_that_need_no_server_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREETLOOP_HOME", str(tmp_path / "home"))
    _write_what_the_docs_name(tmp_path)
    ran = 0
    for command in STREETLOOP:
        if any(words(command)[: len(start)] == start for start in RUNS) and "@" not in command:
            done = CliRunner().invoke(app, words(command), env={"COLUMNS": "200"})
            assert done.exit_code == 0, f"{command}\n{done.output}\n{done.exception!r}"
            ran += 1
    assert ran >= 12


def _write_what_the_docs_name(folder: Path) -> None:
    """The camera file of the quickstart and the two recordings that it compares."""
    (folder / "cameras.yaml").write_text(
        yaml.safe_dump(yaml.safe_load(blocks(DOCS["quickstart.md"], "yaml")[0]))
    )
    for name, light in (("april", 120), ("november", 60)):
        rng = np.random.default_rng(light)
        size = (64, 48)
        video = cv2.VideoWriter(str(folder / f"{name}.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 10, size)
        for _ in range(120):
            video.write(rng.normal(light, 9, (*size[::-1], 3)).clip(0, 255).astype(np.uint8))
        video.release()


def test_curl_asks_for_what_the_api_describes() -> None:
    api = create_api(lambda _: [], (), 0.25, None, cast(Control, object())).openapi()
    asked = [c for c in commands() if c.startswith("curl ")]
    assert len(asked) >= 4
    for command in asked:
        arguments = shlex.split(command)
        path = urlsplit(next(a for a in arguments if a.startswith("http"))).path
        body = arguments[arguments.index("--json") + 1] if "--json" in arguments else None
        method = "get" if body is None and "--data-binary" not in arguments else "post"
        operation = api["paths"][path][method]
        if body is not None:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            validate(json.loads(body), {**schema, "components": api["components"]})
