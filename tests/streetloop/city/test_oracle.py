import numpy as np
import pytest

from streetloop.city.address import parse_address
from streetloop.city.oracle import Oracle
from streetloop.city.view import View
from streetloop.errors import ConfigError

URI = "sim://stonebridge/quay?size=160x90&seed=4"


def test_it_says_what_the_view_shows() -> None:
    oracle, view = Oracle(), View(parse_address(URI))
    assert oracle.truth(URI, 70) == view.truth(70)
    assert np.array_equal(oracle.picture(URI, 70), view.render(70))


def test_it_goes_on_answering_for_more_cameras_than_it_keeps() -> None:
    oracle = Oracle(views=1)
    first = oracle.truth(URI, 3)
    oracle.truth(URI.replace("seed=4", "seed=5"), 3)
    assert oracle.truth(URI, 3) == first


def test_a_wrong_question_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown city 'nowhere'"):
        Oracle().truth("sim://nowhere/quay", 0)
    with pytest.raises(ConfigError, match="frame -1"):
        Oracle().truth(URI, -1)
