"""What `run`, `up` and `serve` refuse: exit code 2, one line on standard error, no Ray."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from flows.cli import main as command_line
from flows.runtime.session_start import HeldSentences
from streetloop.errors import ConfigError, ModelUnsupported
from tests.support.programs.cli import Command, camera_file, processes_of
from tests.support.samples.tiny_model import detector_output, write_tiny_model

_SLOW = "no checkpoint"  # PyTorch says so
_CAMERA = {"id": "a40", "uri": "sim://kingsport/crossing"}


@dataclasses.dataclass(frozen=True)
class Place:
    """The files and variables of a command that is refused."""

    folder: Path
    set_variable: Callable[[str, str], None]

    @property
    def model(self) -> Path:
        """A model that runs."""
        return write_tiny_model(self.folder / "m.onnx", detector_output())


def _odd_names(names: str) -> Callable[[Place], list[str]]:
    def given(place: Place) -> list[str]:
        odd = write_tiny_model(place.folder / "odd.onnx", detector_output(), metadata={"names": names})
        return ["--model", str(odd)]

    return given


def _bytes(content: bytes, name: str = "odd.onnx") -> Callable[[Place], list[str]]:
    def given(place: Place) -> list[str]:
        (place.folder / name).write_bytes(content)
        return ["--model", str(place.folder / name)]

    return given


def _rtdetr(place: Place) -> list[str]:
    return ["--model", str(write_tiny_model(place.folder / "odd.onnx", np.zeros((300, 6), np.float32)))]


def _cut(place: Place) -> list[str]:
    return _bytes(place.model.read_bytes()[:300])(place)


def _missing_class(place: Place) -> list[str]:
    return ["--model", str(place.model), "--classes", "zeppelin"]


def _long_temporary(place: Place) -> list[str]:
    long = place.folder / ("t" * 90)
    long.mkdir()
    place.set_variable("TMPDIR", str(long))
    return ["--model", str(place.model)]


def _too_long(place: Place) -> list[str]:
    return ["--model", f"{place.folder}/{'n' * 300}.onnx"]


_OF_ALL = {
    "names with a gap": (_odd_names("{0: 'car', 2: 'bus'}"), "class 1 has no name"),
    "a name twice": (_odd_names("{0: 'car', 1: 'car'}"), "'car' twice"),
    "RT-DETR": (_rtdetr, "layout of RT-DETR"),
    "empty": (_bytes(b""), "is empty"),
    "cut short": (_cut, "odd.onnx"),
    "no model": (_bytes(b"<html>"), "is a web page"),
    _SLOW: (_bytes(b"PK\x03\x04 and no zip", "odd.pt"), "odd.pt"),
    "a name that is too long": (_too_long, "File name too long"),
    "a long TMPDIR": (_long_temporary, "TMPDIR: a path of "),
}
_OF_RUNS = {"a class that the model lacks": (_missing_class, "has no class 'zeppelin'")}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("STREETLOOP_HOME", str(tmp_path / "home"))
    camera_file(tmp_path, _CAMERA)
    monkeypatch.chdir(tmp_path)
    return Place(tmp_path, monkeypatch.setenv)


@pytest.mark.parametrize(
    ("command", "kind", "log_format"),
    [
        *(("run cameras.yaml", kind, "json") for kind in {**_OF_ALL, **_OF_RUNS} if kind != _SLOW),
        *(("run cameras.yaml", kind, "text") for kind in ("RT-DETR", "a long TMPDIR", _SLOW)),
        *(("up cameras.yaml", kind, "json") for kind in ("RT-DETR", "a long TMPDIR", *_OF_RUNS)),
        *(("serve", kind, "json") for kind in ("RT-DETR", "a long TMPDIR", "cut short")),
        ("serve", "empty", "text"),
    ],
)
def test_a_refusal_is_said_alone(
    command: str,
    kind: str,
    log_format: str,
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given, words = {**_OF_ALL, **_OF_RUNS}[kind]
    place.set_variable("STREETLOOP_LOG_FORMAT", log_format)
    monkeypatch.setattr("sys.argv", ["streetloop", *command.split(), *given(place)])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    said = capsys.readouterr()
    (sentence,) = said.err.splitlines()
    assert ended.value.code == 2
    assert sentence.startswith("error: ")
    assert words in sentence
    assert said.out == ""


def test_a_real_command_that_is_refused_leaves_no_process(place: Place) -> None:
    home = place.folder / "home"
    place.set_variable("STREETLOOP_LOG_FORMAT", "json")
    running = Command("run", str(place.folder / "cameras.yaml"), *_long_temporary(place), home=home)
    ended = running.finish()
    assert (ended.code, ended.stdout) == (2, "")
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    sentence = ended.stderr
    assert sentence.startswith("error: TMPDIR: ")
    assert processes_of(home) == []


def test_a_librarys_text_of_several_lines_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(error: Exception) -> list[str]:
        def app() -> None:
            raise error

        monkeypatch.setattr(command_line, "app", app)
        with pytest.raises(SystemExit):
            command_line.main()
        return capsys.readouterr().err.splitlines()

    vendors = "m.pt: RuntimeError: cannot read it:\n\tat line 3\n\n  because it is cut short"
    assert fails(ModelUnsupported(vendors)) == [
        "error: m.pt: RuntimeError: cannot read it: at line 3 because it is cut short"
    ]
    assert fails(ConfigError("one mistake\nand another")) == ["error: one mistake", "error: and another"]


def test_sentences_are_held_until_nothing_is_refused_any_more() -> None:
    said: list[str] = []
    say = HeldSentences(said.append)
    say("opening the model")
    assert said == []
    say.release()
    say("starting the cameras")
    assert said == ["opening the model", "starting the cameras"]
