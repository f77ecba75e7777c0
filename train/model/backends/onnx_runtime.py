"""ONNX Runtime, the portable backend: its only adapter."""

from pathlib import Path
from typing import Any

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
_NAMES = {_TENSORRT: ("tensorrt/fp16", "gpu"), _CUDA: ("onnx/fp16", "gpu"), _CPU: ("onnx/fp32", "cpu")}


def gpu_providers() -> list[str]:
    """The GPU providers that this build of ONNX Runtime has, fastest first."""
    return [p for p in (_TENSORRT, _CUDA) if p in ort.get_available_providers()]


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
        options.log_severity_level = 3
        configured: list[Any] = [
            (p, {"trt_fp16_enable": True}) if p == _TENSORRT else p for p in providers or []
        ]
        source: str | bytes = half_precision(path) if configured[:1] == [_CUDA] else str(path)
        try:
            self._session = ort.InferenceSession(source, options, providers=[*configured, _CPU])
        except ORT_ERRORS as error:
            raise ModelUnsupported(f"{path}: ONNX Runtime refuses it: {error}") from error
        self._input = self._session.get_inputs()[0].name
        self.name, self.device = _NAMES[self._session.get_providers()[0]]

    def run(self, images: Image) -> Floats:
        """See `train.model.backends.backend.Backend.run`."""
        try:
            output: Floats = self._session.run(None, {self._input: to_blob(images)})[0]
        except ORT_ERRORS as error:
            raise DetectorError(f"ONNX Runtime failed on {images.shape}: {error}") from error
        return output


def half_precision(path: Path) -> bytes:
    """Convert an ONNX model to float16 weights and arithmetic; input and output stay float32.

    Args:
        path: The ONNX file; it stays unchanged.
    """
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16  # type: ignore[import-untyped]

    converted = convert_float_to_float16(onnx.load(path), keep_io_types=True)
    data: bytes = converted.SerializeToString()
    return data
