"""Every command of the docs exists with its flags; `test_commands_run` runs the quick ones."""

import re
import shlex

import pytest
import typer
from typer.testing import CliRunner

from flows.cli.main import app
from tests.docs.pages import DOCS, ROOT, commands

STREETLOOP = [c for c in commands() if re.match(r"(\S*/)?streetloop ", c)]


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
