import cv2
import numpy as np
import pytest

from streetloop.drawing.text import put_text, text_size
from streetloop.types import Image

_WHITE = (255, 255, 255)


def _drawn(text: str, at: tuple[int, int] = (10, 40), scale: float = 0.45) -> Image:
    image = np.zeros((60, 400, 3), np.uint8)
    put_text(image, text, at, scale, _WHITE)
    return image


@pytest.mark.parametrize("text", ["Größe", "Łódź", "Улица", "Οδός", "é"])
def test_letters_beyond_ascii_are_drawn_and_are_no_question_marks(text: str) -> None:
    marks = np.zeros((60, 400, 3), np.uint8)
    cv2.putText(marks, text, (10, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.45, _WHITE, 1, cv2.LINE_AA)

    assert _drawn(text).any()
    assert not np.array_equal(_drawn(text), marks)
    assert not np.array_equal(_drawn(text), _drawn("\ufffd" * len(text)))


@pytest.mark.parametrize("text", ["Groesse", "Größe", "ÄÖÜ gq"])
def test_ink_is_where_the_size_says(text: str) -> None:
    rows, columns = np.nonzero(_drawn(text)[:, :, 0])
    width, height = text_size(text, 0.45)

    assert columns.min() >= 9
    assert columns.max() <= 10 + width + 2
    assert abs((40 - rows.min()) - height) <= 2


def test_text_of_either_kind_is_about_as_large() -> None:
    for scale in (0.42, 0.45, 1.0):
        ascii_width, ascii_height = text_size("Kreuzung Nord", scale)
        width, height = text_size("Kreuzüng Nord", scale)
        assert width == pytest.approx(ascii_width, rel=0.25)
        assert height == pytest.approx(ascii_height, rel=0.4)


@pytest.mark.parametrize(
    "at", [(-30, 5), (390, 40), (10, -50), (10, 200), (-500, 40), (500, 40), (10, 76), (403, 40)]
)
def test_what_is_beyond_the_edge_is_left_out(at: tuple[int, int]) -> None:
    _drawn("Größe", at)


def test_strokes_can_be_thicker() -> None:
    thin, thick = np.zeros((60, 400, 3), np.uint8), np.zeros((60, 400, 3), np.uint8)
    put_text(thin, "Größe", (10, 40), 0.45, _WHITE)
    put_text(thick, "Größe", (10, 40), 0.45, _WHITE, 3)

    assert thick.sum() > 1.5 * thin.sum()
