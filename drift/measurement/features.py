"""Every feature that is watched: of images, of detections, of tracks."""

from drift.measurement.image_features import ENCODING_FEATURES, IMAGE_FEATURES, Feature

MODEL_FEATURES = (
    Feature("confidence", 0.03, "mean confidence of the detections, 0 to 1"),
    Feature("detections", 0.3, "detections a frame"),
    Feature("box_area", 0.005, "median side of the boxes, as a share of the image's"),
)
TRACK_FEATURES = (
    Feature("speed", 0.15, "mean speed of tracks in diagonals of their box a second"),
    Feature("fragmentation", 0.1, "share of tracks that end before they are a second old"),
)
FEATURES = (*IMAGE_FEATURES, *MODEL_FEATURES, *TRACK_FEATURES, *ENCODING_FEATURES)
"""Every feature; an array of a camera's values has a column for each, in this order.

New ones are appended: drift references of models are arrays with these columns."""

NAMES = tuple(feature.name for feature in FEATURES)
MIN_SPREADS = {feature.name: feature.min_spread for feature in FEATURES}
OF_IMAGES = frozenset(feature.name for feature in (*IMAGE_FEATURES, *ENCODING_FEATURES))
