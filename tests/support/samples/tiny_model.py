"""ONNX models of a few nodes that answer what a test wants, with the metadata of a real export."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

NAMES = ("car", "bus")


def detector_output(*boxes: tuple[float, float, float, float, int, float]) -> NDArray[np.float32]:
    """The raw answer (4 + classes, anchors) for boxes given as (x, y, width, height, class, score).

    The first two are the centre. Scores of the other class are 0; there are two classes, `NAMES`.
    """
    output = np.zeros((4 + len(NAMES), len(boxes)), np.float32)
    for anchor, (x, y, width, height, class_id, score) in enumerate(boxes):
        output[:4, anchor] = x, y, width, height
        output[4 + class_id, anchor] = score
    return output


def write_tiny_model(
    path: Path,
    answer: NDArray[np.float32],
    *,
    slope: float = 0.0,
    metadata: Mapping[str, str | None] | None = None,
    size: tuple[int | str, int | str, int | str] = ("batch", "height", "width"),
    half: bool = False,
    declared: bool = True,
) -> Path:
    """Write a model that takes (B, 3, H, W) and answers ``answer`` for every image.

    Args:
        path: Where it goes.
        answer: The output for one image; the model's has the batch in front.
        slope: Times the mean of the image, this is added to every value of the answer.
        metadata: Over what Ultralytics writes for a detector of `NAMES`; None leaves a key out.
        size: Batch, height and width that it takes; a name for one that is free.
        half: Images and answers are float16.
        declared: The file declares the shape of its answer.
    """
    dtype = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    weights = {
        "answer": answer[None],
        "slope": np.full((1,) * (answer.ndim + 1), slope, np.float32),
        "first": np.array([0], np.int64),
        "shape_of_one": np.array(answer.shape, np.int64),
        "scalar_per_image": np.array([-1, *[1] * answer.ndim], np.int64),
    }
    nodes = [
        helper.make_node("Shape", ["images"], ["shape"]),
        helper.make_node("Gather", ["shape", "first"], ["batch"]),
        helper.make_node("Concat", ["batch", "shape_of_one"], ["out_shape"], axis=0),
        helper.make_node("Expand", ["answer", "out_shape"], ["repeated"]),
        helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Reshape", ["mean", "scalar_per_image"], ["means"]),
        helper.make_node("Mul", ["means", "slope"], ["added"]),
        helper.make_node("Add", ["repeated", "added"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["output0"], to=dtype),
    ]
    batch, height, width = size
    shape = [batch, *(answer.shape if declared else [f"side{k}" for k in range(answer.ndim)])]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", dtype, [batch, 3, height, width])],
        [helper.make_tensor_value_info("output0", dtype, shape)],
        [numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    written = {
        "task": "detect",
        "stride": "32",
        "names": repr(dict(enumerate(NAMES))),
        "end2end": "False",
        **(metadata or {}),
    }
    helper.set_model_props(model, {k: v for k, v in written.items() if v is not None})
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path
