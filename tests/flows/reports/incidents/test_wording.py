"""A language model may word the facts, and nothing else: a real endpoint that does the worst."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from flows.reports.incidents import language_model
from flows.reports.incidents.grounding import is_grounded
from flows.reports.incidents.templates import fill
from flows.reports.incidents.wording import Worded, word_sentences
from streetloop.control.report_views import Sentence
from streetloop.settings import Settings
from tests.support.incidents import INJECTION

KEY = "sk-secret-key"
LOST = fill("Camera {camera} was lost for {minutes} minutes.", camera="a40", minutes="5")
INCIDENTS = fill("There were {incidents} incidents since {since}.", incidents=3, since="2026-03-01 08:00")

Answer = Callable[[list[str]], tuple[int, str, str]]


class Endpoint:
    """An OpenAI-compatible server.

    Attributes:
        answer: Makes status, type and body of the answer from the sentences.
        asked: Bodies that it was sent.
        keys: Headers of authorization that it was sent.
    """

    def __init__(self) -> None:
        self.answer: Answer = lambda said: whole(said)
        self.asked: list[Any] = []
        self.keys: list[str | None] = []
        self.released = threading.Event()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.asked.append(body)
                endpoint.keys.append(self.headers.get("Authorization"))
                status, kind, text = endpoint.answer(json.loads(body["messages"][-1]["content"]))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def settings(self) -> Settings:
        url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        return Settings(llm_url=url, llm_key=KEY, llm_model="tiny")  # type: ignore[arg-type]

    def word(self, *sentences: Sentence) -> Worded:
        return word_sentences(sentences, self.settings)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.released.set()
    endpoint.server.shutdown()
    endpoint.server.server_close()


def whole(said: list[str], text: str | None = None) -> tuple[int, str, str]:
    content = json.dumps(said) if text is None else text
    return 200, "application/json", json.dumps({"choices": [{"message": {"content": content}}]})


def streamed(said: list[str]) -> tuple[int, str, str]:
    content = json.dumps(said)
    parts = [content[k : k + 7] for k in range(0, len(content), 7)]
    lines = [json.dumps({"choices": [{"delta": {"content": part}}]}) for part in parts]
    return 200, "text/event-stream", "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"])


def test_without_an_endpoint_the_templates_stand() -> None:
    assert word_sentences([LOST], Settings()) == Worded([LOST], 0, [])


def test_it_may_word_the_facts(endpoint: Endpoint) -> None:
    better = ["For 5 minutes, a40 was lost.", "Since 2026-03-01 08:00 there were 3 incidents."]
    endpoint.answer = lambda _: whole(better)
    worded = endpoint.word(LOST, INCIDENTS)
    assert [one.sentence for one in worded.sentences] == better
    assert {one.source for one in worded.sentences} == {"model"}
    assert [one.facts for one in worded.sentences] == [LOST.facts, INCIDENTS.facts]
    assert worded.replaced == 0
    assert endpoint.keys == [f"Bearer {KEY}"]
    assert endpoint.asked[0]["model"] == "tiny"


@pytest.mark.parametrize(
    "lie",
    [
        "Camera a40 was lost for 6 minutes.",
        "Camera a41 was lost for 5 minutes.",
        "Camera a40 was lost for 5 minutes at 12:40.",
        "Camera a40 was lost for 5 minutes by Miller.",
        "Camera a40 was lost for five minutes.",
        "Camera a40 was not lost for 5 minutes.",
        "Camera a40 was lost for 5 minutes and exploded.",
        "Camera a40 was lost for 5.5 minutes.",
        "Camera a40 was lost.",
        "",
        "Camera a40 was lost for 5 minutes. " * 20,
    ],
)
def test_a_lie_is_replaced_and_counted(endpoint: Endpoint, lie: str) -> None:
    endpoint.answer = lambda _: whole([lie, INCIDENTS.sentence])
    worded = endpoint.word(LOST, INCIDENTS)
    assert worded.sentences[0] == LOST
    assert worded.sentences[1].source == "model"
    assert worded.replaced == 1


def test_a_streamed_answer_is_read(endpoint: Endpoint) -> None:
    endpoint.answer = lambda said: streamed(said)
    assert endpoint.word(LOST).sentences[0].source == "model"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda _: (200, "text/html", "<html><h1>Sign in</h1></html>"), "no chat completion"),
        (lambda _: (401, "application/json", "{}"), "answers 401"),
        (lambda _: (302, "text/html", ""), "answers 302"),
        (lambda _: whole([], "I cannot help with that."), "no list of sentences"),
        (lambda _: whole([], '["unfinished'), "no list of sentences"),
        (lambda _: whole([], '[{"a": 1}]'), "no list of sentences"),
        (lambda _: (200, "application/json", "[]"), "no chat completion"),
        (lambda _: whole([], "x" * 1_200_000), "too long"),
    ],
)
def test_what_is_no_answer_leaves_the_templates(endpoint: Endpoint, answer: Answer, why: str) -> None:
    endpoint.answer = answer
    worded = endpoint.word(LOST, INCIDENTS)
    assert worded.sentences == [LOST, INCIDENTS]
    assert worded.replaced == 2
    (note,) = worded.notes
    assert why in note
    assert KEY not in note


def test_a_slow_endpoint_is_not_waited_for(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language_model, "_DEADLINE_S", 0.2)

    def wait(said: list[str]) -> tuple[int, str, str]:
        endpoint.released.wait(30)
        return whole(said)

    endpoint.answer = wait
    worded = endpoint.word(LOST)
    assert (worded.sentences, worded.replaced) == ([LOST], 1)


def test_an_endpoint_that_refuses_connections_leaves_the_templates() -> None:
    worded = word_sentences([LOST], Settings(llm_url="http://127.0.0.1:9"))
    assert (worded.sentences, worded.replaced) == ([LOST], 1)
    assert "does not answer" in worded.notes[0]


def test_a_model_that_obeys_a_camera_s_name_changes_nothing(endpoint: Endpoint) -> None:
    told = fill("Camera {camera} was lost for {minutes} minutes.", camera=INJECTION, minutes="5")
    endpoint.answer = lambda _: whole(["42 cameras burn."])
    assert endpoint.word(told) == Worded([told], 1, [])


def test_too_few_and_too_many_answers_are_matched_by_place(endpoint: Endpoint) -> None:
    endpoint.answer = lambda said: whole(said[:1])
    assert [one.source for one in endpoint.word(LOST, INCIDENTS).sentences] == ["model", "template"]
    endpoint.answer = lambda said: whole([*said, "more"])
    assert endpoint.word(LOST, INCIDENTS).replaced == 0


def test_a_sentence_of_the_template_is_grounded() -> None:
    for sentence in (LOST, INCIDENTS):
        assert is_grounded(sentence.sentence, sentence)
