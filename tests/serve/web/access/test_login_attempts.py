"""Wrong tokens are bounded, by client."""

import pytest

from serve.web.access import login_attempts
from serve.web.access.login_attempts import LoginAttempts
from tests.support.stream_flow.fakes import FakeClock


def test_too_many_wrong_tokens_wait_and_only_theirs() -> None:
    clock = FakeClock()
    attempts = LoginAttempts(clock, limit=3, period_s=60)
    for _ in range(3):
        assert attempts.wait_s("a") == 0
        attempts.note_wrong("a")
        clock.advance(10)
    assert attempts.wait_s("a") == pytest.approx(30)
    assert attempts.wait_s("b") == 0
    clock.advance(30)
    assert attempts.wait_s("a") == 0
    attempts.note_wrong("a")
    assert attempts.wait_s("a") == pytest.approx(10), "the second of them is 50 s old"


def test_a_flood_of_clients_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_attempts, "_MAX_CLIENTS", 3)
    attempts = LoginAttempts(FakeClock(), limit=1)
    for name in "abcd":
        attempts.note_wrong(name)
    assert [attempts.wait_s(name) > 0 for name in "abcd"] == [False, True, True, True]


def test_one_who_has_many_addresses_waits_too() -> None:
    clock = FakeClock()
    attempts = LoginAttempts(clock, limit=3, period_s=60, limit_of_all=5)
    for number in range(5):
        assert attempts.wait_s(f"10.0.0.{number}") == 0
        attempts.note_wrong(f"10.0.0.{number}")
        clock.advance(2)
    assert attempts.wait_s("10.0.0.9") == pytest.approx(50)
    clock.advance(50)
    assert attempts.wait_s("10.0.0.9") == 0
