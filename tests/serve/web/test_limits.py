import asyncio
from collections.abc import Iterable

import pytest
from starlette.types import Message, Receive, Scope, Send

from serve.web.limits import BodyLimit
from streetloop.errors import InputTooLarge

LIMIT = 10


def body_through(
    chunks: Iterable[bytes], *headers: tuple[bytes, bytes], path: str = "/predict"
) -> tuple[bytes, int]:
    """What an application reads of a body behind the limit, and how many messages that took."""
    parts = list(chunks)
    messages: list[Message] = [
        {"type": "http.request", "body": part, "more_body": place < len(parts) - 1}
        for place, part in enumerate(parts)
    ]
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        taken += 1
        return messages[taken - 1]

    async def send(message: Message) -> None:
        raise AssertionError(f"nobody sends anything here: {message}")

    read = bytearray()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            message = await receive()
            read.extend(message["body"])
            more = message["more_body"]

    scope: Scope = {"type": "http", "path": path, "headers": list(headers)}
    try:
        asyncio.run(BodyLimit(app, LIMIT, {"/datasets": 2 * LIMIT})(scope, receive, send))
    except InputTooLarge:
        return b"refused", taken
    return bytes(read), taken


@pytest.mark.parametrize(
    "chunks", [[b""], [b"0123456789"], [b"01234", b"", b"56789"]], ids=["none", "one", "several"]
)
def test_a_body_up_to_the_limit_passes_unchanged(chunks: list[bytes]) -> None:
    assert body_through(chunks)[0] == b"".join(chunks)


def test_a_body_that_grows_past_the_limit_is_not_read_to_its_end() -> None:
    assert body_through([b"01234"] * 1000) == (b"refused", 3)


def test_a_path_may_have_a_limit_of_its_own() -> None:
    assert body_through([b"01234"] * 4, path="/datasets") == (b"01234" * 4, 4)
    assert body_through([b"01234"] * 5, path="/datasets")[0] == b"refused"
    assert body_through([b"01234"] * 4, path="/datasets/other")[0] == b"refused"


def test_a_stated_length_beyond_the_limit_is_enough_to_refuse() -> None:
    assert body_through([b"x"] * 5, (b"content-length", b"11")) == (b"refused", 1)


@pytest.mark.parametrize("stated", [b"5", b"10", b"none", b"-1", b""])
def test_a_stated_length_does_not_excuse_a_longer_body(stated: bytes) -> None:
    answer, _ = body_through([b"01234"] * 4, (b"content-length", stated))
    assert answer == b"refused"


def test_other_protocols_are_left_alone() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((await receive())["type"])

    async def receive() -> Message:
        return {"type": "lifespan.startup", "body": b"x" * 100}

    async def send(_: Message) -> None:
        return None

    asyncio.run(BodyLimit(app, LIMIT)({"type": "lifespan"}, receive, send))
    assert seen == ["lifespan.startup"]
