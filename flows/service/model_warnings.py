"""What a model's contract, and its own mask, mean for a camera."""

from collections.abc import Iterator

from streetloop.cameras.camera_file import Camera
from streetloop.cameras.camera_warning import CameraWarning
from streetloop.geometry import covered_share
from streetloop.settings import BASELINE, Settings
from streetloop.video import VideoInfo
from train.model.contract import ModelInput, OutputLayout
from train.model.model_file import ModelFile

_MAX_HIDDEN = 0.9  # share of the picture
_MAX_PADDING = 0.2  # share of a fixed input beyond which a free one would be clearly cheaper


def model_warnings(
    camera: Camera, info: VideoInfo, model: ModelFile, settings: Settings
) -> Iterator[CameraWarning]:
    """What a model's contract means for a camera.

    Args:
        camera: The camera.
        info: Its pictures.
        model: The model that would run.
        settings: The settings of the run.
    """
    if camera.mask and (hidden := covered_share(camera.mask)) > _MAX_HIDDEN:
        yield CameraWarning(
            "mask", f"the mask hides {hidden:.0%} of the picture, where nothing is detected or shown"
        )
    contract, image_size = model.contract, settings.image_size
    if settings.model == BASELINE and camera.uri.scheme != "sim":
        yield CameraWarning(
            "baseline", "the baseline knows the simulated city alone; for a real street give --model"
        )
    size = contract.input.height, contract.input.width
    if size != (None, None) and "image_size" in settings.model_fields_set and image_size not in size:
        yield CameraWarning(
            "image-size",
            f"image_size {image_size} has no effect: the model's input is fixed at {_shown(size)}",
        )
    if size != (None, None) and (padding := _padding(contract.input, info, image_size)) > _MAX_PADDING:
        yield CameraWarning(
            "fixed-size",
            f"the model's input is fixed at {_shown(size)}: {padding:.0%} of it is padding for "
            f"{info.width}x{info.height}; export it with dynamic=True",
        )
    if (batch := contract.input.batch) is not None and batch > 1:
        yield CameraWarning(
            "fixed-batch",
            f"the model computes {batch} pictures at a time, also where fewer wait; "
            "export it with dynamic=True",
        )
    if contract.layout is OutputLayout.SELECTED:
        yield CameraWarning(
            "own-threshold",
            "the model selects its boxes itself: weaker ones than its export kept extend no track",
        )


def _padding(model_input: ModelInput, info: VideoInfo, image_size: int) -> float:
    """Share of the input that a picture leaves gray, 0 to 1."""
    height, width = model_input.size_for(info.width, info.height, image_size)
    scale = min(width / info.width, height / info.height)
    return 1 - info.width * info.height * scale**2 / (width * height)


def _shown(size: tuple[int | None, int | None]) -> str:
    height, width = ("any" if side is None else str(side) for side in size)
    return f"{width}x{height}"
