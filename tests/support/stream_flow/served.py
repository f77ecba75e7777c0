"""A camera that is served and recorded in this process, as a worker does it."""

from pathlib import Path

from flows.stream.pipeline import StreamPipeline
from flows.stream.recording.recording import SpooledRecording
from flows.stream.sinks.detection_log import DetectionLog
from flows.stream.sinks.frame_log import FrameLog
from flows.stream.sources.registry import open_source
from serve.detector.client import LocalDetector
from streetloop.cameras.camera_file import Camera
from streetloop.clock import SystemClock
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from tests.support.stream_flow.fakes import PATIENCE_S
from train.model.backends.open_backend import open_backend
from train.model.model_file import ModelFile, open_model
from train.model.predictor import Predictor


def serve_and_record(
    camera: Camera, model: Path | str, settings: Settings, patience_s: float = PATIENCE_S
) -> ModelFile:
    """Play a camera to its end; its logs and its video are in the store then."""
    store, clock = open_store(settings), SystemClock()
    file = open_model(str(model), settings.models)
    backend = open_backend(file, settings.backend, settings.threads, settings.precision)
    detector = LocalDetector(Predictor(file, backend, settings.image_size), settings.track_floor)
    frames = FrameLog(store, "frames/run=r", "w-0", 1e6)
    names = file.contract.names
    log = DetectionLog(store, "detections/run=r", "w-0", [camera.id], names, 1e6, clock)
    pipeline = StreamPipeline(
        [(camera, open_source(camera, clock))],
        lambda _: detector,
        settings,
        clock,
        [log, frames],
        names=names,
        model_input=file.contract.input,
        on_settled=frames.add,
        recording=SpooledRecording(settings, store, "r", clock),
    )
    pipeline.start()
    assert pipeline.wait(patience_s)
    pipeline.close()
    detector.close()
    return file
