from collections.abc import Callable

import numpy as np
import pytest

from serve.detector.applications import ServeApplications
from streetloop.errors import DetectorError
from streetloop.settings import Settings


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
