"""A model as a teacher."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streetloop.errors import ConfigError
from streetloop.images import encode_jpeg
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from tests.support.samples.frames import review
from tests.support.samples.tiny_model import NAMES, detector_output, write_tiny_model
from train.teacher import open_teacher


def test_it_sees_the_classes_of_the_frames_model_by_name(tmp_path: Path) -> None:
    model = tmp_path / "large.onnx"
    write_tiny_model(model, detector_output((32, 32, 9, 9, 1, 0.8), (50, 50, 9, 9, 0, 0.4)))
    settings = Settings(home=tmp_path, labeler="teacher", teacher_model=str(model), image_size=64)
    store = open_store(settings)
    store.put("frames/a.jpg", encode_jpeg(np.zeros((64, 64, 3), np.uint8)))
    teacher = open_teacher(settings, store)
    assert teacher is not None
    frame = replace(review(1), image_key="frames/a.jpg", width=64, height=64, classes=("other", NAMES[1]))
    found = teacher.look_at(frame)
    assert found.class_id.tolist() == [1]
    assert found.confidence.tolist() == pytest.approx([0.8])


def test_without_a_model_it_says_which_setting_is_missing(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, labeler="teacher")
    with pytest.raises(ConfigError, match="STREETLOOP_TEACHER_MODEL"):
        open_teacher(settings, open_store(settings))


def test_other_labelers_have_none(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert open_teacher(settings, open_store(settings)) is None
