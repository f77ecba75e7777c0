"""Moving pictures over one WebSocket."""

import json
import time
from collections.abc import Collection, Mapping
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from serve.web.api.streaming import live
from streetloop.control.port import DEFAULT_WIDTH, MAX_WIDTH
from tests.support.control_service import LIVE, Content, Screens, api_of, jpeg, running


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PERIOD_S", 0.005)
    monkeypatch.setattr(live, "ROUND_S", 0.0)


@pytest.fixture
def client(empty: Content, screens: Screens) -> TestClient:
    empty.live.append(running())
    return api_of(empty, screens=screens)


def a_round(socket: WebSocketTestSession) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The pictures of a round by camera, and what else it says."""
    message = socket.receive_bytes()
    start = 4 + int.from_bytes(message[:4])
    header = json.loads(message[4:start])
    found: dict[str, bytes] = {}
    for name, size in header.pop("pictures"):
        assert name not in found
        found[name] = message[start : start + size]
        start += size
    assert start == len(message)
    return found, header


def test_a_round_is_every_new_picture_and_how_the_cameras_are(client: TestClient) -> None:
    with client.websocket_connect(LIVE) as socket:
        pictures, told = a_round(socket)
    assert pictures == {"a40": jpeg()}
    first, second = told["cameras"]
    assert first == {
        "id": "a40",
        "city": None,
        "state": "live",
        "error": None,
        "fps": None,
        "fps_decoded": 25.0,
        "fps_detected": 12.5,
        "objects": 7,
    }
    assert (second["id"], second["state"]) == ("crossing", "stopped")


def test_only_what_is_new_is_sent(client: TestClient, screens: Screens) -> None:
    with client.websocket_connect(LIVE) as socket:
        a_round(socket)
        socket.send_text("next")
        assert a_round(socket) == ({}, {})
        screens.shown |= {"a40": (9, b"newer"), "crossing": (1, b"first")}
        socket.send_text("next")
        assert a_round(socket)[0] == {"a40": b"newer", "crossing": b"first"}
        screens.shown["a40"] = (2, b"its worker was replaced")
        socket.send_text("next")
        assert a_round(socket)[0] == {"a40": b"its worker was replaced"}


def test_how_the_cameras_are_is_told_about_once_a_second(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(seconds: float) -> list[bool]:
        monkeypatch.setattr(live, "_STATE_PERIOD_S", seconds)
        found = []
        with client.websocket_connect(LIVE) as socket:
            for _ in range(3):
                found.append("cameras" in a_round(socket)[1])
                socket.send_text("next")
        return found

    assert live._STATE_PERIOD_S == 1.0
    assert told(3600) == [True, False, False]
    assert told(0) == [True, True, True]


def test_nothing_is_sent_until_the_client_answers(client: TestClient, screens: Screens) -> None:
    with client.websocket_connect(LIVE) as socket:
        a_round(socket)
        asked = len(screens.asked)
        for number in range(10, 15):
            screens.shown["a40"] = (number, b"%d" % number)
        assert len(screens.asked) == asked
        socket.send_text("next")
        assert a_round(socket)[0] == {"a40": b"14"}, "a slow client gets fewer, not later ones"


def test_rounds_keep_a_pace_however_fast_the_client_answers(
    client: TestClient, screens: Screens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "ROUND_S", 0.1)
    with client.websocket_connect(LIVE) as socket:
        a_round(socket)
        began = time.monotonic()
        for number in range(10, 14):
            screens.shown["a40"] = (number, b"a")
            socket.send_text("next")
            a_round(socket)
        assert time.monotonic() - began > 0.3


def test_an_answer_ahead_lets_two_rounds_be_under_way(
    client: TestClient, screens: Screens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PERIOD_S", 0.2)  # so long that no slow machine misses the picture
    with client.websocket_connect(LIVE) as socket:
        socket.send_text("next")
        assert a_round(socket)[0] == {"a40": jpeg()}
        screens.shown["a40"] = (10, b"a")
        assert a_round(socket)[0] == {"a40": b"a"}, "it was asked for already"


def test_a_client_may_name_cameras(client: TestClient, screens: Screens) -> None:
    screens.shown["crossing"] = (1, b"c")
    with client.websocket_connect(LIVE) as socket:
        a_round(socket)
        screens.shown |= {"a40": (4, b"a"), "crossing": (2, b"c")}
        socket.send_text('{"cameras": ["crossing", "nobody"]}')
        assert a_round(socket)[0] == {"crossing": b"c"}
        screens.shown |= {"a40": (5, b"a"), "crossing": (3, b"c")}
        socket.send_text("next")
        assert a_round(socket)[0] == {"crossing": b"c"}, "those from then on"
        socket.send_text('{"cameras": []}')
        assert a_round(socket)[0] == {}
        socket.send_text('{"cameras": ["a40"]}')
        assert a_round(socket)[0] == {"a40": b"a"}


@pytest.mark.parametrize(
    ("said", "width"), [("480", 480), ("480.7", 480), ("1", 160), ("-5", 160), ("9e9", 1280), ("true", 160)]
)
def test_a_client_may_say_how_wide_its_pictures_are(
    client: TestClient, screens: Screens, said: str, width: int
) -> None:
    with client.websocket_connect(LIVE) as socket:
        a_round(socket)
        assert set(screens.widths) == {640}
        for number, answer in enumerate([f'{{"width": {said}}}', "next", "gibberish"], 10):
            screens.shown["a40"] = (number, b"a")
            screens.widths.clear()
            socket.send_text(answer)
            assert a_round(socket)[0] == {"a40": b"a"}
            assert set(screens.widths) == {width}, "from then on"


def test_cameras_and_width_may_be_said_together_or_alone(client: TestClient, screens: Screens) -> None:
    with client.websocket_connect(LIVE) as socket:
        a_round(socket)
        screens.shown |= {"a40": (9, b"a"), "crossing": (9, b"c")}
        socket.send_text('{"cameras": ["crossing"], "width": 320}')
        assert a_round(socket)[0] == {"crossing": b"c"}
        screens.shown |= {"a40": (10, b"a"), "crossing": (10, b"c")}
        socket.send_text('{"width": 480}')
        assert a_round(socket)[0] == {"crossing": b"c"}
        assert screens.widths[-1] == 480


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "NEXT",
        "{",
        "[]",
        "5",
        "null",
        '"next"',
        "[" * 99_999,
        '{"cameras": null}',
        '{"cameras": 5}',
        '{"width": "wide"}',
        '{"width": null}',
        '{"width": NaN}',
        '{"width": Infinity}',
        '{"width": [480]}',
        '{"other": 1}',
        "x" * 200_000,
        "😀",
        '{"cameras": true}',
    ],
    ids=lambda text: repr(text[:12]),
)
def test_garbage_counts_as_an_answer(client: TestClient, screens: Screens, garbage: str) -> None:
    with client.websocket_connect(LIVE) as socket:
        a_round(socket)
        screens.shown["a40"] = (4, b"a")
        socket.send_text(garbage)
        assert a_round(socket)[0] == {"a40": b"a"}


def test_bytes_count_as_an_answer_too(client: TestClient, screens: Screens) -> None:
    with client.websocket_connect(LIVE) as socket:
        a_round(socket)
        screens.shown["a40"] = (4, b"a")
        socket.send_bytes(b"\xff\0next")
        assert a_round(socket)[0] == {"a40": b"a"}


def test_strange_names_of_cameras_are_no_cameras(client: TestClient) -> None:
    with client.websocket_connect(LIVE) as socket:
        a_round(socket)
        socket.send_text('{"cameras": [1, null, {"a": []}, "../../etc/passwd"]}')
        assert a_round(socket)[0] == {}


def test_a_client_that_never_answers_is_let_go(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_SILENCE_S", 0.05)
    with client.websocket_connect(LIVE) as socket:
        a_round(socket)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
    assert closed.value.code == 1001


def test_a_client_that_goes_is_gone(client: TestClient) -> None:
    for _ in range(3):
        with client.websocket_connect(LIVE) as socket:
            a_round(socket)


def test_a_ledger_that_is_away_stops_no_picture(empty: Content, client: TestClient, screens: Screens) -> None:
    with empty.ledger.transaction() as connection:
        connection.execute(text("alter table camera_changes rename to away"))
    with client.websocket_connect(LIVE) as socket:
        assert a_round(socket) == ({"a40": jpeg()}, {})


def test_many_look_at_once(empty: Content, screens: Screens) -> None:
    client = api_of(empty, screens=screens)
    with client.websocket_connect(LIVE) as one, client.websocket_connect(LIVE) as other:
        for socket in (one, other):
            assert a_round(socket)[0] == {"a40": jpeg()}


def test_with_a_token_only_its_holder_sees_anything(empty: Content, screens: Screens) -> None:
    client = api_of(empty, "secret", screens)
    for headers in ({}, {"authorization": "Bearer wrong"}):
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(LIVE, headers=headers):
            pass
    assert not screens.asked
    with client.websocket_connect(LIVE, headers={"authorization": "Bearer secret"}) as socket:
        assert a_round(socket)[0] == {"a40": jpeg()}
    client.post("/login", data={"token": "secret"})
    with client.websocket_connect(LIVE) as socket:
        assert a_round(socket)[0] == {"a40": jpeg()}


def test_a_round_waits_for_the_next_picture(empty: Content) -> None:
    class Late(Screens):
        async def newest(
            self, after: Mapping[str, int], width: int = DEFAULT_WIDTH, cameras: Collection[str] | None = None
        ) -> dict[str, tuple[int, bytes]]:
            if len(self.asked) == 5:
                self.shown["a40"] = (1, b"late")
            return await super().newest(after, width, cameras)

    with api_of(empty, screens=Late()).websocket_connect(LIVE) as socket:
        assert a_round(socket)[0] == {"a40": b"late"}


def test_a_camera_may_have_a_width_of_its_own_and_others_are_not_drawn(empty: Content) -> None:
    screens = Screens(a40=(1, jpeg()), crossing=(1, jpeg()), other=(1, jpeg()))
    with api_of(empty, screens=screens).websocket_connect(LIVE) as socket:
        a_round(socket)
        screens.shown = {name: (2, jpeg(2)) for name in screens.shown}
        screens.widths.clear()
        socket.send_text('{"cameras": ["a40", "crossing"], "width": 320, "widths": {"a40": 9999}}')
        assert set(a_round(socket)[0]) == {"a40", "crossing"}
        assert screens.widths[:2] == [320, MAX_WIDTH]
