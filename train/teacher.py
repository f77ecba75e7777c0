"""A larger model as a teacher: what it sees in frames that wait to be labeled."""

from functools import cached_property

import numpy as np

from labeling.teacher.teacher_labeler import Teacher
from streetloop.boxes import ids_by_name
from streetloop.errors import ConfigError
from streetloop.images import decode_image
from streetloop.ledger.reviews import FrameRecord
from streetloop.settings import Settings
from streetloop.storage.store import ObjectStore
from streetloop.types import Detections
from train.model.find_model import find_model
from train.model.predictor import Predictor

_WEAKEST = 0.25  # a weaker box is noise, and no reason to ask people


class ModelTeacher:
    """A `labeling.teacher.teacher_labeler.Teacher`; the model is opened at the first frame.

    Args:
        settings: ``teacher_model`` names it.
        store: Holds the images of the frames.
    """

    def __init__(self, settings: Settings, store: ObjectStore) -> None:
        assert settings.teacher_model is not None
        self._settings, self._store = settings, store
        self._model = find_model(settings.teacher_model, settings)

    @property
    def name(self) -> str:
        """See `Teacher.name`."""
        return self._model.version

    def look_at(self, frame: FrameRecord) -> Detections:
        """See `Teacher.look_at`; classes are matched by name, and others left out."""
        image = decode_image(self._store.get(frame.image_key))
        found = self._predictor.predict(image, _WEAKEST)
        ids = ids_by_name(self._model.names, frame.classes)
        own = np.array([-1 if one is None else one for one in ids], np.int64)[found.class_id]
        kept = np.flatnonzero(own >= 0)
        return Detections(found.xyxy[kept], found.confidence[kept], own[kept])

    @cached_property
    def _predictor(self) -> Predictor:
        return Predictor(self._model, image_size=self._settings.image_size)


def open_teacher(settings: Settings, store: ObjectStore) -> Teacher | None:
    """The teacher of the settings; None if the labeler is no teacher.

    Raises:
        ConfigError: No model is named.
        ModelError: The model cannot be used.
    """
    if settings.labeler != "teacher":
        return None
    if settings.teacher_model is None:
        raise ConfigError(
            "labeler: teacher: set STREETLOOP_TEACHER_MODEL to a model file or version that teaches"
        )
    return ModelTeacher(settings, store)
