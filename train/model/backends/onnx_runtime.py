"""ONNX Runtime, the portable backend: its only adapter."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

# Read at the import: nothing is sent to its makers, and nothing written into the user's home.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime as ort  # type: ignore[import-untyped]
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors  # type: ignore[import-untyped]

from streetloop.errors import DetectorError, ModelUnsupported
from streetloop.types import Floats, Image
from train.model.preprocess import to_blob

ORT_ERRORS: tuple[type[Exception], ...] = (
    RuntimeError,
    ValueError,
    *(e for e in vars(ort_errors).values() if isinstance(e, type) and issubclass(e, Exception)),
)
"""All that ONNX Runtime raises, which has no common base; each becomes `ModelUnsupported` where a
model is opened and `DetectorError` where it runs."""
_TENSORRT, _CUDA, _CPU = "TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"
_CODES = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : (Load model from .* failed:)?\s*")
_SOURCE = re.compile(r"^\S+\.(?:cc|h):\d+ .*?\) (?=[A-Z])")  # where in the vendor's code
_KNOWN = (
    (
        re.compile(r"Opset (\d+) is under development.*?till opset (\d+)"),
        "is of opset {0}, and this ONNX Runtime knows up to {1}; export it with opset={1}, or update it",
    ),
    (
        re.compile(r"Unsupported model IR version: (\d+), max supported IR version: (\d+)"),
        "is of ONNX's format {0}, and this ONNX Runtime knows up to {1}; update onnxruntime",
    ),
    (
        re.compile(r"(\S+)\(-?\d+\) is not a registered function/op"),
        "has the operation {0}, which ONNX Runtime refuses as unknown; export it without plugins",
    ),
)
"""What ONNX Runtime says of files that people bring, and what it means."""
_ONLY_FATAL = 4  # the rest comes as exceptions
_PROBE = (1, 3, 320, 320)  # 320 is a multiple of all strides, and gives an end-to-end network enough anchors
_DTYPES = {"tensor(float)": "float32", "tensor(float16)": "float16"}
_NAMES = {_TENSORRT: ("tensorrt/fp16", "gpu"), _CUDA: ("onnx/fp16", "gpu"), _CPU: ("onnx/fp32", "cpu")}


def gpu_providers() -> list[str]:
    """The GPU providers that this build of ONNX Runtime has, fastest first."""
    return [p for p in (_TENSORRT, _CUDA) if p in ort.get_available_providers()]


@dataclass(frozen=True, slots=True)
class GraphTensor:
    """An input or output of a graph.

    Attributes:
        name: Its name.
        dtype: NumPy's name of its type, such as ``float32``; ONNX's for other types.
        shape: Its sides; None for one that is free.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class GraphSignature:
    """What a graph takes and gives.

    Attributes:
        inputs: At least one.
        outputs: At least one. Of the first, sides that the file leaves open are those of the answer
            to a gray picture.
        metadata: What its exporter wrote, by key.
    """

    inputs: tuple[GraphTensor, ...]
    outputs: tuple[GraphTensor, ...]
    metadata: Mapping[str, str]


def read_signature(path: Path) -> GraphSignature:
    """Open an ONNX file and read its signature.

    Args:
        path: The file, with its external data beside it.

    Raises:
        ModelUnsupported: It is no graph that ONNX Runtime runs.
    """
    options = ort.SessionOptions()
    options.log_severity_level = _ONLY_FATAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL  # opened, not run
    session = _open(path, str(path), options, [_CPU])
    inputs = tuple(_tensor(found) for found in session.get_inputs())
    outputs = tuple(_tensor(found) for found in session.get_outputs())
    if not inputs or not outputs:
        raise ModelUnsupported(f"{path}: has no input or no output; it is not a detector")
    if None in outputs[0].shape[1:] and len(inputs) == 1:
        outputs = (_probed(session, inputs[0], outputs[0], path), *outputs[1:])
    return GraphSignature(inputs, outputs, session.get_modelmeta().custom_metadata_map)


def _probed(session: Any, image: GraphTensor, output: GraphTensor, path: Path) -> GraphTensor:
    """The output with the sides of its answer to a gray picture; its batch stays free."""
    shape = [side or free for side, free in zip(image.shape, _PROBE, strict=False)]
    if len(image.shape) != len(_PROBE) or image.dtype not in _DTYPES.values():
        return output
    try:
        answer = session.run([output.name], {image.name: np.full(shape, 0.5, image.dtype)})[0]
    except ORT_ERRORS as error:
        raise ModelUnsupported(f"{path}: fails on a gray picture: {_first_line(error)}") from error
    return GraphTensor(output.name, output.dtype, (output.shape[0], *answer.shape[1:]))


def _tensor(found: Any) -> GraphTensor:
    shape = tuple(side if isinstance(side, int) else None for side in found.shape)
    return GraphTensor(found.name, _DTYPES.get(found.type, found.type), shape)


def _open(path: Path, source: str | bytes, options: Any, providers: list[Any]) -> Any:
    try:
        return ort.InferenceSession(source, options, providers=providers)
    except ORT_ERRORS as error:
        for said, meaning in _KNOWN:
            if found := said.search(str(error)):
                raise ModelUnsupported(f"{path}: {meaning.format(*found.groups())}") from error
        raise ModelUnsupported(f"{path}: ONNX Runtime refuses it: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    """The sentence of an exception, without the vendor's codes and the path, which we name."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return _SOURCE.sub("", _CODES.sub("", line))


class OnnxBackend:
    """ONNX Runtime with the first of ``providers`` that works here, else the CPU.

    TensorRT runs in half precision; on CUDA alone the weights are converted to it.

    Args:
        path: The ONNX file.
        providers: Of `gpu_providers`; none for the CPU.
        threads: CPU threads of one inference. More answers a single batch sooner and takes cores
            from decoding. 0 leaves the number to the runtime.

    Raises:
        ModelUnsupported: The runtime refuses the file.
    """

    def __init__(self, path: Path, providers: list[str] | None = None, threads: int = 0) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        # Idle workers would spin on cores that decoding needs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = _ONLY_FATAL
        configured: list[Any] = [
            (p, {"trt_fp16_enable": True}) if p == _TENSORRT else p for p in providers or []
        ]
        source: str | bytes = half_precision(path) if configured[:1] == [_CUDA] else str(path)
        self._session = _open(path, source, options, [*configured, _CPU])
        self._input = _tensor(self._session.get_inputs()[0])
        self._output = self._session.get_outputs()[0].name
        self.name, self.device = _NAMES[self._session.get_providers()[0]]

    def run(self, images: Image) -> Floats:
        """See `train.model.backends.backend.Backend.run`."""
        try:
            blob = to_blob(images).astype(self._input.dtype, copy=False)
            output = self._session.run([self._output], {self._input.name: blob})[0]
        except ORT_ERRORS as error:
            raise DetectorError(f"ONNX Runtime failed on {images.shape}: {_first_line(error)}") from error
        found: Floats = output.astype(np.float32, copy=False)
        return found


def half_precision(path: Path) -> bytes:
    """Convert an ONNX model to float16 weights and arithmetic; input and output stay as they are.

    Args:
        path: The ONNX file; it stays unchanged.
    """
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16  # type: ignore[import-untyped]

    model = onnx.load(path)
    if model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT16:
        return bytes(model.SerializeToString())
    converted = convert_float_to_float16(model, keep_io_types=True)
    data: bytes = converted.SerializeToString()
    return data
