"""What reads the reports of running streams, as far as the settings turn it on."""

from pathlib import Path

import jwt
import numpy as np
import pytest

from flows.runtime.observers.observers import Observers
from flows.runtime.workers.stream_fleet import FleetReport
from streetloop.errors import ConfigError
from streetloop.ledger import open_ledger
from streetloop.ledger.reviews import ReviewState, SelectionReason, list_reviews
from streetloop.settings import Settings, read_settings
from tests.support.samples.frames import review
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from train.model.model_file import ModelFile, open_model


@pytest.fixture
def model(tmp_path: Path) -> ModelFile:
    path = write_tiny_model(tmp_path / "tiny.onnx", np.asarray(detector_output()))
    return open_model(str(path), tmp_path / "models")


REPORT = FleetReport({}, candidates=[review(1, reason=SelectionReason.RANDOM)])


def test_a_token_that_has_expired_keeps_no_stream_from_running(model: ModelFile) -> None:
    expired = jwt.encode({"exp": 1}, "a key that nobody will ever ask for", algorithm="HS256")
    settings = read_settings(
        labeler="label-studio", label_studio_url="http://127.0.0.1:9", label_studio_token=expired
    )
    told: list[str] = []
    observers = Observers([], settings, model, told.append)
    observers.start()
    observers.observe(REPORT)
    observers.close()
    (sentence,) = told
    assert "expired" in sentence
    assert "frames wait" in sentence
    assert expired not in sentence
    assert len(list_reviews(open_ledger(settings.ledger), [ReviewState.CANDIDATE])) == 1


def test_a_label_studio_that_nobody_has_named_is_a_mistake(model: ModelFile) -> None:
    with pytest.raises(ConfigError, match="no Label Studio is known"):
        Observers([], read_settings(labeler="label-studio"), model, print)


def test_a_band_of_no_class_of_the_model_is_a_mistake_before_anything_starts(model: ModelFile) -> None:
    settings = read_settings(label_bands={"submarine": {"weight": 2}})
    with pytest.raises(ConfigError, match="no class 'submarine'"):
        Observers([], settings, model, print)
    Observers([], settings.model_copy(update={"triage": False}), model, print)


def test_a_bucket_without_a_server_is_a_mistake_before_anything_starts(model: ModelFile) -> None:
    with pytest.raises(ConfigError, match="set STREETLOOP_S3_ENDPOINT, too"):
        Observers([], read_settings(store_url="s3://streets"), model, print)


def test_without_drift_and_triage_no_frame_waits_for_a_label(model: ModelFile) -> None:
    settings = Settings(drift=False, triage=False)
    observers = Observers([], settings, model, print)
    observers.start()
    observers.observe(REPORT)
    observers.close()
    assert list_reviews(open_ledger(settings.ledger), list(ReviewState)) == []
    assert not settings.store.exists()
