"""A real small model words a report, and its sentences are held against the facts."""

import importlib
import sys
from pathlib import Path

import pytest

from flows.reports.incidents import local_model
from flows.reports.incidents.local_model import model_path, word_locally
from flows.reports.incidents.templates import fill
from flows.reports.incidents.wording import word_sentences
from streetloop.errors import LanguageModelError
from streetloop.settings import Settings
from tests.support.programs.local_llm import install_local_llm

LOCAL = Settings(llm_url="local")
SENTENCES = [
    fill("Camera {camera} was lost for {minutes} minutes.", camera="a40", minutes="5"),
    fill("There were {incidents} incidents since {since}.", incidents=3, since="2026-03-01 08:00"),
    fill("Camera {camera} was lost for {minutes} minutes.", camera="larkfield-gantry", minutes="12.5"),
]


@pytest.fixture(scope="module")
def folder() -> Path:
    return install_local_llm()


@pytest.fixture
def installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()


@pytest.mark.model
def test_it_words_sentences_and_each_is_grounded_or_replaced(installed: None) -> None:
    worded = word_sentences(SENTENCES, LOCAL)
    assert worded.notes == []
    assert worded.replaced == sum(one.source == "template" for one in worded.sentences)
    assert worded.replaced < len(SENTENCES), "some of them are the model's"
    for one, template in zip(worded.sentences, SENTENCES, strict=True):
        assert one.facts == template.facts


@pytest.mark.model
def test_a_minute_that_is_over_leaves_the_templates(installed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_model, "_DEADLINE_S", 0.0)
    assert word_locally([one.sentence for one in SENTENCES], LOCAL) == ["", "", ""]


@pytest.mark.model
def test_a_file_that_is_no_model_is_refused(installed: None, tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GGUF" + bytes(64))
    with pytest.raises(LanguageModelError, match=r"bad\.gguf does not load"):
        word_locally(["One."], Settings(llm_url="local", llm_model=str(bad)))


def test_what_is_not_installed_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    monkeypatch.setattr(local_model, "_PACKAGE", "nobody_has_this")
    worded = word_sentences(SENTENCES, LOCAL)
    assert worded.sentences == SENTENCES
    assert worded.replaced == len(SENTENCES)
    assert "pip install 'streetloop[llm]'" in worded.notes[0]


def test_what_runs_it_may_be_missing_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    (tmp_path / "m.gguf").touch()
    with pytest.raises(LanguageModelError, match="nothing to run a local language model; install it by"):
        word_locally(["One."], Settings(llm_url="local", llm_model=str(tmp_path / "m.gguf")))


def test_another_model_must_be_a_file_of_its_kind(tmp_path: Path) -> None:
    with pytest.raises(LanguageModelError, match=r"STREETLOOP_LLM_MODEL: .* is no \.gguf file here"):
        model_path(str(tmp_path / "weights.pt"))
