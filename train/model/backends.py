"""Backends that run a model's network: ONNX Runtime, the only adapter of it, and torch."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors  # type: ignore[import-untyped]

from streetloop.errors import ConfigError, DetectorError, ModelUnsupported
from streetloop.types import Floats, Image
from train import ultralytics_adapter
from train.model.model_file import ModelFile
from train.model.preprocess import to_blob

ORT_ERRORS: tuple[type[Exception], ...] = (
    RuntimeError,
    ValueError,
    *(e for e in vars(ort_errors).values() if isinstance(e, type) and issubclass(e, Exception)),
)
"""All that ONNX Runtime raises, which has no common base; each becomes `ModelUnsupported` where a
model is opened and `DetectorError` where it runs."""
_GPU_PROVIDERS = ("TensorrtExecutionProvider", "CUDAExecutionProvider")


class Backend(Protocol):
    """Runs one network.

    Attributes:
        name: Runtime and device, such as ``onnx/CPUExecutionProvider``.
    """

    name: str

    def run(self, images: Image) -> Floats:
        """Run the network.

        Args:
            images: (B, H, W, 3) uint8, blue first, sides multiples of the model's stride.

        Returns:
            The raw float32 output; `train.model.postprocess.decode` knows its layouts.

        Raises:
            DetectorError: The runtime failed on the batch.
        """


def open_backend(model: ModelFile, kind: str = "auto", threads: int = 0) -> Backend:
    """Open a backend for a model.

    Args:
        model: The model file.
        kind: ``onnx``, ``torch``, or ``auto``: torch in half precision where there is a GPU that
            only torch can use, ONNX Runtime otherwise.
        threads: CPU threads of one inference; more answers a single batch sooner and takes cores
            from decoding. 0 leaves the number to the runtime.

    Raises:
        ConfigError: The kind does not fit the model.
        ModelUnsupported: The runtime does not accept the file.
    """
    gpu_providers = [p for p in _GPU_PROVIDERS if p in ort.get_available_providers()]
    if kind == "auto":
        torch_wins = not gpu_providers and model.checkpoint is not None and _torch_sees_a_gpu()
        kind = "torch" if torch_wins else "onnx"
    if kind == "onnx":
        return OnnxBackend(model.onnx, gpu_providers, threads)
    if model.checkpoint is None:
        raise ConfigError(f"{model.version}: the torch backend needs the .pt file, not an .onnx")
    return TorchBackend(model.checkpoint, "cuda" if _torch_sees_a_gpu() else "cpu", threads)


def _torch_sees_a_gpu() -> bool:
    import torch  # takes seconds: only where needed

    return torch.cuda.is_available()


class OnnxBackend:
    """ONNX Runtime with the first of ``gpu_providers`` that works here, else the CPU.

    TensorRT runs in half precision; on CUDA alone the weights are converted to it.
    """

    def __init__(self, path: Path, gpu_providers: list[str] | None = None, threads: int = 0) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        # Idle workers would spin on cores that decoding needs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        providers: list[Any] = [
            (p, {"trt_fp16_enable": True}) if p.startswith("Tensorrt") else p for p in gpu_providers or []
        ]
        source: str | bytes = half_precision(path) if providers[:1] == [_GPU_PROVIDERS[1]] else str(path)
        try:
            self._session = ort.InferenceSession(
                source, options, providers=[*providers, "CPUExecutionProvider"]
            )
        except ORT_ERRORS as error:
            raise ModelUnsupported(f"{path}: ONNX Runtime refuses it: {error}") from error
        self._input = self._session.get_inputs()[0].name
        self.name = f"onnx/{self._session.get_providers()[0]}"

    def run(self, images: Image) -> Floats:
        """See `Backend.run`."""
        try:
            output: Floats = self._session.run(None, {self._input: to_blob(images)})[0]
        except ORT_ERRORS as error:
            raise DetectorError(f"ONNX Runtime failed on {images.shape}: {error}") from error
        return output


class TorchBackend:
    """Ultralytics' own network under torch; half precision on a GPU."""

    def __init__(self, checkpoint: Path, device: str, threads: int = 0) -> None:
        import torch  # takes seconds: only where needed

        if threads and device == "cpu":
            torch.set_num_threads(threads)
        self._torch = torch
        self._device = device
        self._half = device != "cpu"
        self._network = ultralytics_adapter.load_torch(checkpoint, device, half=self._half)
        self.name = f"torch/{device}{'/half' if self._half else ''}"

    def run(self, images: Image) -> Floats:
        """See `Backend.run`."""
        torch = self._torch
        try:
            with torch.inference_mode():
                batch = torch.from_numpy(images).to(self._device).flip(-1).permute(0, 3, 1, 2)
                scaled = (batch.half() if self._half else batch.float()) / 255
                output = self._network(scaled)
                raw = output[0] if isinstance(output, (tuple, list)) else output
                result: Floats = raw.float().cpu().numpy()
        except RuntimeError as error:
            raise DetectorError(f"torch failed on {images.shape}: {error}") from error
        return result


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


def random_batch(shape: tuple[int, int, int], seed: int = 0) -> Image:
    """A (B, H, W, 3) uint8 batch of noise, to warm up a backend.

    Args:
        shape: (B, H, W).
        seed: Of the noise.
    """
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
