import numpy as np

from flows.stream.inference.batch import SourceAnswer
from flows.stream.sinks.stream_meter import StreamMeter
from streetloop.types import Detections
from tests.support.stream_flow.build import found, frame, result
from tests.support.stream_flow.fakes import FakeClock


def answer(model: str, *detections: Detections) -> SourceAnswer:
    return SourceAnswer("champion", model, list(detections), 0.02, "onnx/fp32", 7)


def test_it_counts_lags_batches_and_confidences() -> None:
    clock = FakeClock()
    meter = StreamMeter("worker0", clock)
    clock.advance(0.3)
    meter.take(result(frame()))
    meter.answered(answer("m-1", found((1, 2, 3, 4), confidence=0.95), Detections.empty()))
    reading = meter.read({"flows": 1}, {("bus", "sent"): 2})
    assert (reading.worker, reading.errors) == ("worker0", {"flows": 1})
    assert reading.sinks == {("bus", "sent"): 2}
    assert reading.lag is not None
    assert sum(reading.lag.counts) == 1
    model = reading.models["m-1"]
    assert model.frames.total == 2
    assert model.seconds.total == 0.02
    assert list(model.confidences.counts)[-1] == 1
    assert np.isclose(model.confidences.total, 0.95)


def test_only_the_models_that_answered_last_are_kept() -> None:
    meter = StreamMeter("worker0", FakeClock())
    for number in range(20):
        meter.answered(answer(f"m-{number}"))
        meter.answered(answer("champion"))
    assert list(meter.read({}, {}).models)[-2:] == ["m-19", "champion"]
    assert len(meter.read({}, {}).models) == 8
