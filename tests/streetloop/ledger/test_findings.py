from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from streetloop.causes import Cause
from streetloop.errors import LedgerError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.findings import Finding, close_findings, list_findings, open_finding

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FEATURES = {"brightness": {"effect_size": 5.5, "alarm": True, "statistic": None}}


def _after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    ledger = open_ledger(ledger_url)
    yield ledger
    ledger.close()


def _opened(
    ledger: Ledger, camera_id: str = "a", minutes: float = 0, causes: Sequence[str] = ("night",)
) -> int:
    since, at = _after(minutes), _after(minutes + 5)
    return open_finding(
        ledger, camera_id, since, at, "m-1", [Cause(name, 0.5) for name in causes], True, FEATURES
    )


def test_a_finding_is_read_as_it_was_written(ledger: Ledger) -> None:
    number = _opened(ledger, causes=["night", "fog"])
    causes = [Cause("night", 0.5), Cause("fog", 0.5)]
    assert list_findings(ledger) == [
        Finding(number, "a", NOON, _after(5), None, "m-1", causes, True, FEATURES)
    ]


def test_a_camera_has_one_open_finding_that_is_brought_up_to_date(ledger: Ledger) -> None:
    number = _opened(ledger)
    assert _opened(ledger, minutes=30, causes=["fog"]) == number
    (finding,) = list_findings(ledger)
    assert (finding.since, finding.opened_at) == (NOON, _after(5))
    assert finding.causes == [Cause("fog", 0.5)]
    assert finding.cause_names == ["fog"]


def test_names_alone_as_earlier_versions_wrote_them_are_read(ledger: Ledger) -> None:
    number = _opened(ledger)
    with ledger.transaction() as connection:
        connection.exec_driver_sql('update findings set causes = \'["night", "fog"]\'')
    (finding,) = list_findings(ledger)
    assert (finding.id, finding.causes) == (number, [Cause("night"), Cause("fog")])


def test_after_one_is_closed_there_is_another(ledger: Ledger) -> None:
    first = _opened(ledger)
    close_findings(ledger, "a", _after(20))
    second = _opened(ledger, minutes=60)
    assert first != second
    found = list_findings(ledger, "a")
    assert [finding.id for finding in found] == [second, first]
    assert [finding.closed_at for finding in found] == [None, _after(20)]
    assert [finding.id for finding in list_findings(ledger, only_open=True)] == [second]


def test_closing_is_for_one_camera_and_once(ledger: Ledger) -> None:
    _opened(ledger, "a")
    _opened(ledger, "b")
    close_findings(ledger, "a", _after(20))
    close_findings(ledger, "a", _after(40))
    close_findings(ledger, "never seen", _after(40))
    found = {finding.camera_id: finding.closed_at for finding in list_findings(ledger)}
    assert found == {"a": _after(20), "b": None}


def test_the_newest_come_first_and_no_more_than_asked_for(ledger: Ledger) -> None:
    for camera, minutes in (("a", 1), ("b", 3), ("c", 2)):
        _opened(ledger, camera, minutes)
    assert [finding.camera_id for finding in list_findings(ledger)] == ["b", "c", "a"]
    assert [finding.camera_id for finding in list_findings(ledger, most=1)] == ["b"]


def test_a_moment_without_a_zone_is_refused(ledger: Ledger) -> None:
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(LedgerError, match="time zone"):
        open_finding(ledger, "a", naive, NOON, "m-1", [], False, {})
    assert list_findings(ledger) == []
    number = _opened(ledger)
    with pytest.raises(LedgerError, match="time zone"):
        close_findings(ledger, "a", naive)
    assert [finding.id for finding in list_findings(ledger, only_open=True)] == [number]


def test_a_ledger_that_another_holds_too_long_is_an_error(ledger: Ledger, ledger_url: str) -> None:
    impatient = open_ledger(ledger_url, patience_s=0.05)
    with ledger.transaction(), pytest.raises(LedgerError, match="locked"):
        _opened(impatient)
    _opened(impatient)
    impatient.close()
