from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from serve.detector import applications as module
from serve.detector.applications import ServeApplications
from serve.detector.slots import FileSlot
from streetloop.errors import DetectorError
from streetloop.settings import Settings
from tests.support.stream_flow import faulty
from train.model.model_file import open_model


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda applications: applications.delete("challenger"), id="delete"),
        pytest.param(lambda applications: applications.describe("challenger"), id="describe"),
        pytest.param(lambda applications: applications.load("champion", None), id="load"),
        pytest.param(
            lambda applications: applications.detect("champion", np.zeros((9, 9, 3), np.uint8)), id="detect"
        ),
    ],
)
def test_who_asks_after_the_end_of_ray_starts_no_other(ask: Callable[[ServeApplications], object]) -> None:
    with pytest.raises(DetectorError, match="Ray has ended"):
        ask(ServeApplications(Settings()))


def test_a_model_that_one_replica_cannot_load_is_taken_back_from_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (open_model(str(faulty.good(tmp_path / f"{name}.onnx")), tmp_path) for name in ("old", "new"))
    slot = FileSlot(tmp_path, "champion")
    slot.write(old)
    named_at_reload: list[str] = []

    def ask_all(_: ServeApplications, application: str, method: str, **_more: Any) -> list[Any]:
        assert (application, method) == ("champion", "reload")
        named_at_reload.append(Path(slot.read()).stem)
        if len(named_at_reload) == 1:
            raise DetectorError("one replica has no memory left")
        return []

    monkeypatch.setattr(ServeApplications, "_ask_all", ask_all)
    monkeypatch.setattr(module, "open_slot", lambda *_: slot)
    monkeypatch.setattr(module, "_require_ray", lambda: None)
    monkeypatch.setattr(module.ray.serve, "status", lambda: SimpleNamespace(applications={"champion": None}))
    with pytest.raises(DetectorError, match="no memory left"):
        ServeApplications(Settings(home=tmp_path)).load("champion", new)
    assert named_at_reload == ["new", "old"]
