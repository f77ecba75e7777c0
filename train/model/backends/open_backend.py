"""Opens the backend of a model."""

import logging
import platform
from pathlib import Path

from streetloop.errors import ConfigError, ModelUnsupported
from train.model.backends.backend import Backend
from train.model.backends.onnx_runtime import OnnxBackend, gpu_providers
from train.model.contract import OutputLayout
from train.model.model_file import ModelFile

_log = logging.getLogger(__name__)
_CPU_FLAGS = Path("/proc/cpuinfo")
_GPU_DEVICES = [Path("/dev") / name for name in ("nvidiactl", "dxg", "kfd")]


def open_backend(
    model: ModelFile, kind: str = "auto", threads: int = 0, precision: str = "auto", streams: int = 1
) -> Backend:
    """Open a backend for a model.

    Args:
        model: The model file.
        kind: ``onnx``, ``openvino``, ``torch``, or ``auto``: the fastest that works here. With a
            GPU that is ONNX Runtime, or torch where only torch can use it; on an x86 processor
            OpenVINO; elsewhere ONNX Runtime.
        threads: CPU threads of one inference; more answers a single batch sooner and takes cores
            from decoding. 0 leaves the number to the runtime.
        precision: ``auto``, ``fp32``, or ``bf16``, which OpenVINO alone computes; see
            `train.model.backends.openvino_runtime.OpenVinoBackend`.
        streams: Batches that several threads may run side by side; OpenVINO shares the threads out
            among them. More answers more batches a second, and each of them later.

    Raises:
        ConfigError: The kind fits neither the model nor the precision.
        ModelUnsupported: The runtime does not accept the file.
    """
    if kind == "auto":
        return _fastest(model, threads, precision, streams)
    if kind == "openvino":
        return _open_openvino(model, threads, precision, streams)
    if precision == "bf16":
        raise ConfigError(f"precision bf16: the backend {kind} does not compute it; use openvino")
    if kind == "onnx":
        gpu = gpu_providers()
        _refuse_fp32_on_gpu(precision, bool(gpu))
        return OnnxBackend(model.onnx, gpu, threads)
    if model.checkpoint is None:
        raise ConfigError(f"{model.version}: the torch backend needs the .pt file, not an .onnx")
    from train.model.backends.torch_runtime import TorchBackend  # takes seconds: only where needed

    _refuse_fp32_on_gpu(precision, _torch_has_gpu())
    end_to_end = model.contract.layout is OutputLayout.SELECTED
    return TorchBackend(model.checkpoint, threads, end_to_end=end_to_end)


def _refuse_fp32_on_gpu(precision: str, gpu: bool) -> None:
    if gpu and precision == "fp32":
        raise ConfigError("precision fp32: on a GPU models run in fp16; use auto")


def _fastest(model: ModelFile, threads: int, precision: str, streams: int) -> Backend:
    if gpu_providers():
        return open_backend(model, "onnx", threads, precision)
    if model.checkpoint is not None and _torch_has_gpu():
        return open_backend(model, "torch", threads, precision)
    if not _suits_openvino():
        return open_backend(model, "onnx", threads, precision)
    try:
        return _open_openvino(model, threads, precision, streams)
    except ModelUnsupported as error:
        if precision == "bf16":
            raise
        _log.warning("%s; ONNX Runtime runs it", error)
        return open_backend(model, "onnx", threads)


def _open_openvino(model: ModelFile, threads: int, precision: str, streams: int) -> Backend:
    try:
        from train.model.backends.openvino_runtime import OpenVinoBackend
    except ImportError as error:
        raise ModelUnsupported(f"OpenVINO is not installed here: {error}") from error
    return OpenVinoBackend(model.onnx, threads, precision, streams)


def _suits_openvino() -> bool:
    """True on processors that OpenVINO has fast kernels for: x86 with AVX2."""
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return False
    return not _CPU_FLAGS.is_file() or " avx2" in _CPU_FLAGS.read_text()


def _torch_has_gpu() -> bool:
    if platform.system() == "Linux" and not any(device.exists() for device in _GPU_DEVICES):
        return False
    from train.model.backends.torch_runtime import has_gpu  # takes seconds: only where needed

    return has_gpu()
