"""Two hundred ledgers, worded by an endpoint that invents: nothing of that reaches the text."""

import json
import random
import re
import threading
from collections.abc import Iterator
from datetime import UTC, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from flows.reports.incidents.facts import read_facts
from flows.reports.incidents.templates import write_sentences
from flows.reports.incidents.wording import word_sentences
from streetloop.control.report_views import Sentence
from streetloop.settings import Settings
from tests.support.incidents import NOW, happen, new_ledger

SEEDS = 200
_NUMBER = re.compile(r"\d+(?:[.:-]\d+)*")


def lie(sentence: str, draw: random.Random) -> str:
    """What a model makes of a sentence: it is left, worded anew, or added to."""
    number = str(draw.randrange(2, 9999))
    numbers = _NUMBER.findall(sentence)
    return draw.choice(
        [
            sentence,
            f"Meanwhile, {sentence[0].lower()}{sentence[1:]}",
            f"{sentence} About {number} cars were affected.",
            sentence.replace(draw.choice(numbers), number, 1) if numbers else f"{number} cameras burn.",
            f"{sentence} Inspector Smith ordered it.",
            "All is well.",
            f"At {number[:1]}:30 everything stopped.",
            "",
        ]
    )


@pytest.fixture
def endpoint() -> Iterator[str]:
    draw = random.Random(7)

    class Liar(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            said = [lie(one, draw) for one in json.loads(body["messages"][-1]["content"])]
            answer = json.dumps({"choices": [{"message": {"content": json.dumps(said)}}]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()


def ungrounded(sentence: Sentence) -> set[str]:
    """Numbers of a sentence that are in none of its facts."""
    known = {number for fact in sentence.facts.values() for number in _NUMBER.findall(fact)}
    return set(_NUMBER.findall(sentence.sentence)) - known


@pytest.mark.slow
def test_no_number_is_invented_over_two_hundred_ledgers(endpoint: str, tmp_path: Path) -> None:
    ledger, settings = new_ledger(tmp_path), Settings(llm_url=endpoint)
    by_model = replaced = 0
    for seed in range(SEEDS):
        happen(ledger, seed)
        sentences = write_sentences(read_facts(ledger, NOW - timedelta(hours=1 + seed % 24), NOW), UTC)
        worded = word_sentences(sentences, settings)
        for one in worded.sentences:
            assert not ungrounded(one), one
            assert "Smith" not in one.sentence
        own = sum(one.source == "model" for one in worded.sentences)
        assert own + worded.replaced == len(sentences)
        by_model, replaced = by_model + own, replaced + worded.replaced
    ledger.close()
    assert by_model > SEEDS, "what is true is taken"
    assert replaced > 2 * SEEDS
