"""mAP of each network, and its difference to fp32."""

from collections.abc import Sequence

from flows.reports.bench.combinations import Network
from flows.reports.evaluation import LabeledImages, class_ids
from streetloop.json_values import finite_or_none
from streetloop.types import Image
from train.evaluation.box_difference import BoxDifference, box_difference
from train.evaluation.coco_map import coco_map
from train.evaluation.joined_boxes import joins_classes, without_doubles
from train.model.predictions import DatasetPredictor
from train.model.predictor import Predictor


def differences(
    networks: Sequence[Network], pictures: Sequence[Image], confidence: float
) -> dict[Network, BoxDifference]:
    """The difference of each network to the first one in fp32 at the largest size.

    Args:
        networks: What is compared; nothing is known of any where none computes in fp32.
        pictures: (height, width, 3) uint8 each, blue first.
        confidence: Least confidence of a box, 0 to 1.

    Raises:
        DetectorError: One of them failed.
    """
    exact = [network for network in networks if network.name.endswith("/fp32")]
    if not exact:
        return {}
    found = {n: [n.predictor.predict(picture, confidence) for picture in pictures] for n in networks}
    reference = found[max(exact, key=lambda network: network.predictor.image_size)]
    return {n: box_difference(zip(reference, boxes, strict=True)) for n, boxes in found.items()}


def map50_95(predictor: Predictor, labels: LabeledImages) -> float | None:
    """COCO's mAP50-95 of a model on labeled images; None where nothing is labeled.

    Args:
        predictor: The model.
        labels: The images, with their labels.

    Raises:
        DatasetError: An image cannot be read, or the model lacks a class of the labels.
        DetectorError: The model failed.
    """
    classes = class_ids(predictor.model, labels, {})
    found = list(DatasetPredictor(predictor, labels.images, classes).predict(labels.examples))
    boxes = [without_doubles(one) for one in found] if joins_classes(classes) else found
    truth = [example.truth() for example in labels.examples]
    ignored = [example.ignored() for example in labels.examples]
    return finite_or_none(coco_map(truth, boxes, ignored).map50_95, 6)
