"""In which slices a candidate must gain: a stray cause does not block a training."""

from flows.learning.dataset_builder import TrainingMaterial, gaps_to_judge, slices_to_gain
from streetloop.boxes import Box
from train.data.dataset import TRAIN, VALIDATION, Dataset, Example
from train.data.from_labels import USUAL

CAR = (Box(0, (1.0, 2.0, 11.0, 12.0)),)


def dataset(**judge_frames: int) -> Dataset:
    """So many frames to judge by of each slice, and a training frame of each."""
    held = [(name, k, VALIDATION) for name, count in judge_frames.items() for k in range(count)]
    learned = [(name, -1, TRAIN) for name in judge_frames]
    examples = [
        Example(f"{name} {k}", "key", 60, 40, CAR, split, slices=(name,)) for name, k, split in held + learned
    ]
    return Dataset(("car",), tuple(examples))


def test_one_stray_frame_of_another_cause_demands_nothing() -> None:
    found = dataset(night=20, fog=1)
    slices = slices_to_gain(["night"] * 60 + ["fog"], found)
    assert slices == ("night",)
    assert gaps_to_judge(TrainingMaterial(found, slices, ())) == []


def test_every_cause_with_enough_frames_must_gain() -> None:
    assert slices_to_gain(["night", "fog", "rain"], dataset(night=20, fog=10, rain=9)) == ("fog", "night")


def test_if_none_has_enough_the_one_with_most_labels_asks_for_more() -> None:
    found = dataset(fog=9, night=4, rain=9)
    slices = slices_to_gain(["night"] * 12 + ["fog"] * 5 + ["rain"] * 5, found)
    assert slices == ("night",)
    gaps = gaps_to_judge(TrainingMaterial(found, slices, ()))
    assert gaps == ["night: 4 frames to judge by, 10 are needed"]


def test_frames_without_drift_demand_no_slice() -> None:
    assert slices_to_gain([USUAL, USUAL], dataset(usual=20)) == ()


def test_a_slice_whose_frames_have_no_objects_cannot_be_judged() -> None:
    empty = tuple(Example(f"fog {k}", "key", 60, 40, (), VALIDATION, slices=("fog",)) for k in range(20))
    found = dataset(night=10)
    both = Dataset(found.classes, (*found.examples, *empty))
    assert slices_to_gain(["fog"] * 50 + ["night"], both) == ("night",)
