"""What holds for every command: bad settings are one sentence, and help is quick."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperGroup

from flows.cli.main import app, main

_HEAVY = (
    "ray",
    "torch",
    "mlflow",
    "sqlalchemy",
    "cv2",
    "numpy",
    "gradio",
    "flows.runtime",
    "serve",
    "train",
    "drift",
    "labeling",
)
_HELP = """
import contextlib, io, sys
from flows.cli.main import app
for arguments in sys.argv[1].split("|"):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        try:
            app(arguments.split())
        except SystemExit as ended:
            assert not ended.code, arguments
    assert "Usage" in said.getvalue(), arguments
found = sorted(name for name in sys.argv[2].split("|") if name in sys.modules)
print(*found)
"""


def _commands(group: TyperGroup, *path: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            if command.invoke_without_command:
                yield (*path, name)
            yield from _commands(command, *path, name)
        else:
            yield (*path, name)


_ROOT = typer.main.get_command(app)
assert isinstance(_ROOT, TyperGroup)
_COMMANDS = sorted(_commands(_ROOT))
_ARGUMENTS = {
    "ask": ("which cameras drifted today?",),
    "add": ("new", "sim://larkfield/gantry"),
    "archive export": ("a40", "--out", "a.mp4"),
    "archive list": ("a40",),
    "archive prune": (),
    "check": ("cameras.yaml",),
    "acknowledge": ("1",),
    "comment": ("1", "text"),
    "mark-false": ("1",),
    "compare": ("a.mp4", "b.mp4", "c.json"),
    "checkout": ("0123", "folder"),
    "counts": ("a40",),
    "diff": ("0123", "4567"),
    "edit": ("new",),
    "evaluate": ("champion", "0123"),
    "evaluate-tracks": ("cameras.yaml",),
    "backup": ("elsewhere",),
    "bench": ("model.onnx",),
    "dashboards export": ("monitoring",),
    "export": ("1", "model.onnx"),
    "import": ("data.yaml", "--format", "yolo"),
    "export-tracks": ("a40",),
    "lineage": ("1",),
    "prune": ("0123",),
    "register": ("model.onnx",),
    "remove": ("new",),
    "replay": ("a40", "--model", "1"),
    "reproduce": ("1",),
    "restore": ("elsewhere",),
    "run": ("cameras.yaml",),
    "show": ("0123",),
    "similar": ("1",),
    "test": ("ops",),
    "trace": ("version:1",),
    "unmute": ("1",),
    "start": ("2",),
    "up": ("cameras.yaml",),
}
"""What a command does not go without."""


def _needed(command: tuple[str, ...]) -> tuple[str, ...]:
    return _ARGUMENTS.get(" ".join(command), _ARGUMENTS.get(command[-1], ()))


def test_all_commands_are_found() -> None:
    assert len(_COMMANDS) >= 35
    assert {("demo",), ("drift",), ("drift", "compare"), ("rollout", "rehearse")} <= set(_COMMANDS)


@pytest.mark.parametrize("command", _COMMANDS, ids=" ".join)
@pytest.mark.parametrize(("setting", "value"), [("THREADS", "abc"), ("LABEL_BANDS", "{")])
def test_a_bad_setting_is_one_sentence_that_names_the_variable_and_the_way_out(
    command: tuple[str, ...],
    setting: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(f"STREETLOOP_{setting}", value)
    needed = () if command[0] == "labelstudio" else _needed(command)
    monkeypatch.setattr("sys.argv", ["streetloop", *command, *needed])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code == 2
    (sentence,) = said.err.strip().splitlines()
    assert f"STREETLOOP_{setting}: " in sentence
    assert "unset it" in sentence
    assert said.out == ""


def test_the_help_of_every_command_imports_nothing_heavy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREETLOOP_THREADS", "abc")  # help needs no settings
    asked = "|".join(["--help", "rollout -h", *(f"{' '.join(c)} --help" for c in _COMMANDS)])
    done = subprocess.run(
        [sys.executable, "-c", _HELP, asked, "|".join(_HEAVY)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
