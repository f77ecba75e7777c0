"""What was true while the demo ran: both champions at the same moments of the same streets."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from streetloop.boxes import to_boxes
from streetloop.cameras.camera_file import Camera
from streetloop.city.address import parse_address
from streetloop.city.render.shapes import CLASSES
from streetloop.city.view import View
from streetloop.images import encode_jpeg
from streetloop.ledger import Ledger
from streetloop.ledger.reviews import ReviewState, list_reviews
from streetloop.settings import Settings
from streetloop.storage.store import ObjectStore, put_image
from train.data.dataset import TEST, Dataset, Example
from train.evaluation.metrics import class_map, evaluate
from train.model.find_model import find_model
from train.model.predictions import predict_examples

_WINDOW_S, _A_WINDOW = 24.0, 2


@dataclass(frozen=True, slots=True)
class AccuracyCurve:
    """True mAP50 over the time of a demo.

    Attributes:
        streams_at_s: When the cameras began, seconds since the demo began.
        at_s: (N,) the middles of windows, in the same seconds.
        map50: By model, ``before`` and ``after``: (N,) on pictures of that window.
    """

    streams_at_s: float
    at_s: list[float]
    map50: Mapping[str, list[float]]


def true_curve(
    settings: Settings,
    ledger: Ledger,
    store: ObjectStore,
    cameras: Sequence[Camera],
    versions: Mapping[str, str],
    began: float,
    seconds: float,
) -> AccuracyCurve:
    """Ask both models about pictures that the cameras showed, evenly over the time.

    Pictures are drawn again from the city's script: those that nobody labeled, too, so that it
    does not matter what was chosen.

    Args:
        settings: Of the demo.
        ledger: Says when each camera began, by the frames that were chosen.
        store: Where pictures go.
        cameras: Simulated ones.
        versions: Of the registry, by ``before`` and ``after``.
        began: When the demo began, seconds since 1970.
        seconds: How long it took.
    """
    starts = _starts(ledger)
    shown = [camera for camera in cameras if camera.id in starts]
    windows = [k * _WINDOW_S for k in range(int(seconds // _WINDOW_S))]
    examples = [
        example
        for camera in shown
        for example in _pictures(camera, starts[camera.id] - began, windows, store)
    ]
    data = Dataset(tuple(CLASSES), tuple(examples), purpose="the demo's truth")
    found: dict[str, list[float]] = {}
    names = sorted({example.slices[0] for example in examples})
    for when, version in versions.items():
        model = find_model(version, settings)
        classes = class_map(model.names, data.classes)
        boxes = predict_examples(model, examples, store, classes, settings.image_size)
        by_window = evaluate(data, examples, boxes).by_slice
        found[when] = [by_window[name].map50 for name in names]
    streams = statistics.mean(starts[camera.id] for camera in shown) - began
    return AccuracyCurve(streams, [float(name) + _WINDOW_S / 2 for name in names], found)


def _starts(ledger: Ledger) -> dict[str, float]:
    """When the first frame of each camera was, seconds since 1970."""
    times: dict[str, list[float]] = {}
    for review in list_reviews(ledger, list(ReviewState)):
        if "uri" in review.origin:
            fps = parse_address(str(review.origin["uri"])).fps
            start = review.captured_at.timestamp() - int(review.origin["frame"]) / fps
            times.setdefault(review.camera_id, []).append(start)
    return {camera: statistics.median(found) for camera, found in times.items()}


def _pictures(
    camera: Camera, offset_s: float, windows: Sequence[float], store: ObjectStore
) -> Iterator[Example]:
    """Some pictures of each window, with what is in them."""
    address = parse_address(camera.uri.reveal())
    view = View(address)
    for window in windows:
        for k in range(_A_WINDOW):
            at = window + (k + 0.5) * _WINDOW_S / _A_WINDOW - offset_s
            if at < 0:
                continue
            frame = round(at * address.fps)
            image, truth = view.render(frame), view.truth(frame)
            digest, key = put_image(store, encode_jpeg(image))
            boxes = (*to_boxes(truth.detections()), *to_boxes(truth.unclear(), ignored=True))
            yield Example(
                digest,
                key,
                image.shape[1],
                image.shape[0],
                boxes,
                TEST,
                camera.id,
                slices=(f"{window:06.0f}",),
                labeler="oracle",
                reason="simulated",
            )
