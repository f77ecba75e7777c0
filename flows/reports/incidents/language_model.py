"""An OpenAI-compatible endpoint: the only place that asks a language model."""

import json
import os
import time
from typing import Any

import httpx

from streetloop.errors import ConfigError, LanguageModelError
from streetloop.host.proxies import require_http_client
from streetloop.settings import Settings

_CONNECT_S, _DEADLINE_S = 5.0, 20.0
_MAX_BYTES = 1_000_000


def ask_model(settings: Settings, system: str, question: str) -> str:
    """The answer of the language model that the settings name, streamed or whole.

    Args:
        settings: ``llm_url``, ``llm_key`` and ``llm_model``.
        system: What it is to do.
        question: What it is to do that with.

    Raises:
        LanguageModelError: It did not answer within 20 seconds, refused, or what came is no answer.
    """
    body = {
        "model": settings.llm_model,
        "temperature": 0,
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": question}],
    }
    key = settings.llm_key
    headers = {} if key is None else {"Authorization": f"Bearer {key.get_secret_value()}"}
    url = _address(settings.llm_url or "")
    try:
        require_http_client(os.environ)
        return _content(*_post(url, headers, body))
    except ConfigError as error:
        raise LanguageModelError(f"the language model cannot be asked: {error}") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise LanguageModelError(f"the language model does not answer: {type(error).__name__}") from None


def _address(url: str) -> str:
    url = url.rstrip("/")
    return url if url.endswith("/chat/completions") else f"{url}/chat/completions"


def _post(url: str, headers: dict[str, str], body: dict[str, Any]) -> tuple[str, bytes]:
    """Type and body of the answer; the deadline holds for one that trickles, too."""
    end = time.monotonic() + _DEADLINE_S
    timeout = httpx.Timeout(_DEADLINE_S, connect=_CONNECT_S)
    received = b""
    with (
        httpx.Client(timeout=timeout, follow_redirects=False) as client,
        client.stream("POST", url, headers=headers, json=body) as answer,
    ):
        if answer.status_code != httpx.codes.OK:
            raise LanguageModelError(f"the language model answers {answer.status_code}")
        for part in answer.iter_bytes():
            received += part
            if len(received) > _MAX_BYTES:
                raise LanguageModelError("the language model's answer is too long")
            if time.monotonic() > end:
                raise LanguageModelError(f"the language model needs more than {_DEADLINE_S:.0f} s")
        return answer.headers.get("content-type", ""), received


def _content(kind: str, received: bytes) -> str:
    try:
        if "event-stream" in kind or received.startswith(b"data:"):
            return "".join(_deltas(received))
        return str(json.loads(received)["choices"][0]["message"]["content"])
    except (ValueError, KeyError, IndexError, TypeError):
        raise LanguageModelError("what the language model's address sends is no chat completion") from None


def _deltas(received: bytes) -> list[str]:
    """The parts of a streamed answer."""
    found = []
    for line in received.decode().splitlines():
        data = line.removeprefix("data:").strip()
        if line.startswith("data:") and data != "[DONE]":
            found.append(str(json.loads(data)["choices"][0]["delta"].get("content") or ""))
    return found
