import logging
from collections import Counter
from typing import Any

import pytest

import flows.runtime.error_metrics
from flows.runtime.error_metrics import errors_counted


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What Ray's counter was told, by module."""
    found: Counter[str] = Counter()

    class Told:
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def inc(self, *, tags: dict[str, str]) -> None:
            found[tags["module"]] += 1

    monkeypatch.setattr(flows.runtime.error_metrics, "Counter", Told)
    return found


def test_errors_of_ours_are_counted_by_module_while_it_lasts(counted: Counter[str]) -> None:
    ours = logging.getLogger("serve.rollout.control.controller")
    with errors_counted():
        ours.error("a look at the rollout failed")
        ours.critical("and ended")
        logging.getLogger("labeling").error("another")
        ours.warning("no error")
        logging.getLogger("urllib3").error("not ours")
    ours.error("after the end")
    assert counted == {"serve.rollout.control.controller": 2, "labeling": 1}
