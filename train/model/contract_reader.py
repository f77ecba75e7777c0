"""Reads a model's contract from its ONNX file, or says why it is no detector that runs here."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from streetloop.errors import ModelUnsupported
from train.model import export_metadata
from train.model.backends.onnx_runtime import GraphSignature, GraphTensor, read_signature
from train.model.contract import ModelContract, ModelInput, OutputLayout

_DTYPES = ("float32", "float16")
_RT_DETR_HEAD = "RTDETRDecoder"
_SIDES = range(32, 8193)  # pixels of a fixed side
_MAX_SELECTED = 1000  # boxes of a network that selects them; one that does not has thousands


def read_contract(path: Path) -> ModelContract:
    """Read the contract of an ONNX file.

    Args:
        path: The file, with its external data beside it.

    Raises:
        ModelUnsupported: It cannot be opened, or is not a detector that runs here.
    """
    signature = read_signature(path)
    try:
        return _contract(signature)
    except ModelUnsupported as error:
        raise ModelUnsupported(f"{path}: {error}") from None


def _contract(signature: GraphSignature) -> ModelContract:
    metadata = signature.metadata
    task = metadata.get("task", "").strip().lower() or "detect"
    if task != "detect":
        raise ModelUnsupported(f"is a model for the task {task!r}; a detector ('detect') is needed")
    names = export_metadata.class_names(metadata)
    layout = _layout(signature.outputs[0].shape, len(names), metadata)
    return ModelContract(names, _input(signature.inputs, layout, metadata), layout)


def _has_channels_first(shape: Sequence[int | None]) -> bool:
    """Whether images are (batch, 3, height, width), and not (batch, height, width, 3)."""
    return shape[1] == 3 or (shape[1] is None and shape[3] != 3)


def _input(inputs: Sequence[GraphTensor], layout: OutputLayout, metadata: Mapping[str, str]) -> ModelInput:
    image = inputs[0]
    if len(inputs) != 1 or len(image.shape) != 4 or not _has_channels_first(image.shape):
        shown = ", ".join(f"{tensor.name} {_shown(tensor.shape)}" for tensor in inputs)
        raise ModelUnsupported(
            f"takes {shown}; a detector takes images of the shape (batch, 3, height, width)"
        )
    if image.dtype not in _DTYPES:
        raise ModelUnsupported(f"takes images of the type {image.dtype}; export it with float32 or float16")
    batch, _, height, width = image.shape
    if batch == 0 or any(side is not None and side not in _SIDES for side in (height, width)):
        raise ModelUnsupported(
            f"takes images of the shape {_shown(image.shape)}; a detector takes at least one, "
            f"with sides of {_SIDES.start} to {_SIDES.stop - 1} pixels"
        )
    if layout is OutputLayout.SELECTED and not export_metadata.is_end_to_end(metadata):
        batch = batch or export_metadata.nms_batch(metadata)
    return ModelInput(batch, height, width, export_metadata.stride(metadata), image.dtype)


def _layout(shape: Sequence[int | None], classes: int, metadata: Mapping[str, str]) -> OutputLayout:
    """The layout of an answer of this shape.

    Raises:
        ModelUnsupported: It is none that is known.
    """
    if len(shape) != 3:
        raise ModelUnsupported(f"answers with the shape {_shown(shape)}, which is not that of a detector")
    _, rows, columns = shape
    if metadata.get("head") == _RT_DETR_HEAD:
        raise _is_rt_detr(shape)
    if export_metadata.is_end_to_end(metadata) or export_metadata.has_nms(metadata):
        if columns == 6:
            return OutputLayout.SELECTED
    elif rows == 4 + classes:
        return OutputLayout.ANCHORS
    elif columns == 4 + classes and rows is not None and rows <= _MAX_SELECTED:
        raise _is_rt_detr(shape)
    elif columns == 6 and rows is not None and rows <= _MAX_SELECTED:
        return OutputLayout.SELECTED
    elif columns == 5 + classes:
        return OutputLayout.OBJECTNESS
    raise ModelUnsupported(
        f"names {classes} classes, and answers with the shape {_shown(shape)}, which is the layout of no "
        f"known detector: YOLOv8 and later have (batch, {4 + classes}, boxes), YOLOv5 (batch, boxes, "
        f"{5 + classes}), with NMS (batch, boxes, 6)"
    )


def _is_rt_detr(shape: Sequence[int | None]) -> ModelUnsupported:
    return ModelUnsupported(
        f"answers with the shape {_shown(shape)}, the layout of RT-DETR, which does not run here; "
        "use a YOLO, and set the metadata 'end2end' to 'True' if it is one that selects its boxes itself"
    )


def _shown(shape: Sequence[int | None]) -> str:
    return f"({', '.join('?' if side is None else str(side) for side in shape)})"
