import numpy as np
import pytest

from streetloop.types import Detections, Floats
from train.model.contract import OutputLayout
from train.model.postprocess import MAX_DETECTIONS, decode

CLASSES = 3


def raw(seed: int, anchors: int = 60) -> Floats:
    """An output (4 + classes, anchors) with many overlapping boxes."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform(50, 150, (2, anchors))
    size = rng.uniform(20, 80, (2, anchors))
    return np.vstack([centre, size, rng.uniform(0, 1, (CLASSES, anchors))]).astype(np.float32)


def iou(a: Floats, b: Floats) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    inside = max(width, 0) * max(height, 0)
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return float(inside / (areas - inside))


def slowly(output: Floats, confidence: float, nms_iou: float, multi_label: bool) -> set[tuple]:
    """Greedy suppression a class, as it is written in textbooks."""
    kept: list[tuple[int, float, Floats]] = []
    candidates = []
    for anchor in range(output.shape[1]):
        x, y, w, h = output[:4, anchor]
        box = np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2], np.float32)
        scores = output[4:, anchor]
        ks = range(CLASSES) if multi_label else [int(scores.argmax())]
        candidates += [(k, float(scores[k]), box) for k in ks if scores[k] >= confidence]
    for k, score, box in sorted(candidates, key=lambda c: -c[1]):
        if all(other != k or iou(box, b) <= nms_iou for other, _, b in kept):
            kept.append((k, score, box))
    return {(k, round(score, 5)) for k, score, _ in kept}


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_it_agrees_with_the_textbook(seed: int, multi_label: bool) -> None:
    output = raw(seed)
    found = decode(output[None], 0.3, nms_iou=0.5, multi_label=multi_label)[0]
    answer = {(int(k), round(float(c), 5)) for k, c in zip(found.class_id, found.confidence, strict=True)}
    assert answer == slowly(output, 0.3, 0.5, multi_label)
    assert list(found.confidence) == sorted(found.confidence, reverse=True)


def test_boxes_of_different_classes_do_not_suppress_each_other() -> None:
    output = np.zeros((1, 4 + CLASSES, 2), np.float32)
    output[0, :4] = [[50, 50], [50, 50], [20, 20], [20, 20]]
    output[0, 4, 0] = output[0, 5, 1] = 0.9
    found = decode(output, 0.5)[0]
    assert sorted(found.class_id.tolist()) == [0, 1]
    assert found.xyxy.tolist() == [[40, 40, 60, 60]] * 2


def test_a_model_that_selects_its_boxes_is_taken_at_its_word() -> None:
    rows = np.array([[[0, 0, 9, 9, 0.4, 1], [1, 1, 9, 9, 0.8, 0], [2, 2, 9, 9, 0.1, 2]]])
    found = decode(rows.astype(np.float32), 0.3, OutputLayout.SELECTED)[0]
    assert found.class_id.tolist() == [0, 1]
    assert found.xyxy.tolist() == [[1, 1, 9, 9], [0, 0, 9, 9]]


def test_nothing_above_the_threshold_is_an_empty_answer() -> None:
    found = decode(np.zeros((1, 7, 10), np.float32), 0.5)[0]
    assert len(found) == 0
    assert found.xyxy.shape == Detections.empty().xyxy.shape


def test_an_image_has_a_bounded_number_of_boxes() -> None:
    anchors = 2 * MAX_DETECTIONS
    output = np.zeros((1, 4 + CLASSES, anchors), np.float32)
    output[0, 0] = np.arange(anchors) * 10  # far enough apart to survive
    output[0, 1:4] = 5
    output[0, 4] = np.linspace(0.5, 0.9, anchors)
    found = decode(output, 0.3)[0]
    assert len(found) == MAX_DETECTIONS
    assert found.confidence.min() > 0.69


def test_each_score_comes_with_the_box_that_it_was_given() -> None:
    output = raw(seed=3)
    found = decode(output[None], 0.3)[0]
    assert len(found) > 10
    for box, score, class_id in zip(found.xyxy, found.confidence, found.class_id, strict=True):
        (anchor,) = np.flatnonzero(output[4 + class_id] == score)
        x, y, w, h = output[:4, anchor]
        np.testing.assert_allclose(box, [x - w / 2, y - h / 2, x + w / 2, y + h / 2], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("layout", [OutputLayout.ANCHORS, OutputLayout.SELECTED])
def test_the_images_of_a_batch_are_answered_each_for_itself(layout: OutputLayout) -> None:
    batch = np.stack([raw(seed) for seed in range(3)])
    if layout is OutputLayout.SELECTED:
        batch = np.stack([np.column_stack([raw(s)[:5].T, np.zeros(60)]) for s in range(3)])
        batch = batch.astype(np.float32)
    together = decode(batch, 0.3, layout)
    alone = [decode(one[None], 0.3, layout)[0] for one in batch]
    for ours, theirs in zip(together, alone, strict=True):
        assert ours.xyxy.tolist() == theirs.xyxy.tolist()
        assert ours.class_id.tolist() == theirs.class_id.tolist()


@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ((2, 4 + CLASSES, 0), OutputLayout.ANCHORS),
        ((2, 9, 5 + CLASSES), OutputLayout.OBJECTNESS),
        ((2, 0, 6), OutputLayout.SELECTED),
        ((2, 9, 6), OutputLayout.SELECTED),
    ],
)
def test_no_box_at_all_is_an_empty_answer(shape: tuple[int, ...], layout: OutputLayout) -> None:
    for found in decode(np.zeros(shape, np.float32), 0.3, layout):
        assert len(found) == 0
        assert found.xyxy.shape == (0, 4)
        assert found.class_id.dtype == np.int64


def test_a_model_that_selects_its_boxes_is_held_to_the_same_bound() -> None:
    rows = np.zeros((1, 2 * MAX_DETECTIONS, 6), np.float32)
    rows[0, :, 4] = np.linspace(0.5, 0.9, 2 * MAX_DETECTIONS)
    found = decode(rows, 0.3, OutputLayout.SELECTED)[0]
    assert len(found) == MAX_DETECTIONS
    assert found.confidence.min() > 0.69
