"""OpenVINO, the fastest backend on x86 processors: its only adapter.

Where the processor computes bfloat16 in hardware (AVX512-BF16 or AMX), so does OpenVINO, twice as
fast as float32.
"""

import contextlib
import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openvino as ov  # type: ignore[import-untyped]
from openvino.preprocess import PrePostProcessor  # type: ignore[import-untyped]

from streetloop.errors import ConfigError, DetectorError, ModelUnsupported
from streetloop.types import Floats, Image

_HINTS = {"fp32": "f32", "bf16": "bf16"}
_PRECISIONS = {ov.Type.f32: "fp32", ov.Type.bf16: "bf16", ov.Type.f16: "fp16"}


class OpenVinoBackend:
    """OpenVINO on the CPU. Scaling and the layout NHWC are part of the compiled network.

    The network is compiled for all shapes that the file allows. That takes a third of a second for
    a small model, so nothing is cached.

    Args:
        path: The ONNX file.
        threads: CPU threads of one inference. More answers a single batch sooner and takes cores
            from decoding. 0 leaves the number to the runtime.
        precision: ``auto`` computes in bfloat16 where the processor does, in float32 elsewhere;
            ``fp32`` and ``bf16`` insist on one. bfloat16 moves boxes by a third of a pixel and
            confidences by 0.007 on average (`benchmarks.backends`).
        streams: Batches that are computed side by side, each by its share of the threads. More
            computes more batches a second, and each of them later.

    Raises:
        ConfigError: The processor does not compute in this precision.
        ModelUnsupported: OpenVINO refuses the file.
    """

    device = "cpu"

    def __init__(self, path: Path, threads: int = 0, precision: str = "auto", streams: int = 1) -> None:
        core = ov.Core()
        capabilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if precision == "bf16" and "BF16" not in capabilities:
            raise ConfigError("precision bf16: this processor does not compute it; use auto or fp32")
        options: dict[str, object] = {"PERFORMANCE_HINT": "LATENCY", "ENABLE_CPU_PINNING": False}
        if streams > 1:
            options["NUM_STREAMS"] = streams
        if threads:
            options["INFERENCE_NUM_THREADS"] = threads
        if precision in _HINTS:
            options["INFERENCE_PRECISION_HINT"] = _HINTS[precision]
        try:
            compiled = core.compile_model(_with_preprocessing(core, path), "CPU", options)
        except RuntimeError as error:
            raise ModelUnsupported(f"{path}: OpenVINO refuses it: {_first_line(error)}") from error
        self._free: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(streams):
            self._free.put(compiled.create_infer_request())
        self.name = f"openvino/{_PRECISIONS[compiled.get_property('INFERENCE_PRECISION_HINT')]}"

    def run(self, images: Image) -> Floats:
        """See `train.model.backends.backend.Backend.run`."""
        try:
            # OpenVINO 2026.4 drops a reversal of the channels in networks with NMS, without a word.
            pixels = cv2.cvtColor(images.reshape(-1, *images.shape[2:]), cv2.COLOR_BGR2RGB)
            with self._request() as request:
                answer = request.infer([pixels.reshape(images.shape)], share_inputs=True)
        except (RuntimeError, ValueError, TypeError, cv2.error) as error:
            raise DetectorError(f"OpenVINO failed on {images.shape}: {_first_line(error)}") from error
        output: Floats = np.asarray(answer[0], np.float32)
        return output

    @contextlib.contextmanager
    def _request(self) -> Iterator[Any]:
        """A request that nobody else uses; waits for one."""
        request = self._free.get()
        try:
            yield request
        finally:
            self._free.put(request)


def _with_preprocessing(core: ov.Core, path: Path) -> ov.Model:
    """The network of the file, from (B, H, W, 3) uint8, red first."""
    steps = PrePostProcessor(core.read_model(str(path)))
    entry = steps.input()
    entry.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    entry.preprocess().convert_element_type(ov.Type.f32).scale(255.0)
    entry.model().set_layout(ov.Layout("NCHW"))
    return steps.build()


def _first_line(error: Exception) -> str:
    """The sentence of an exception, without the vendor's source lines."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith(("Exception from", "Check '"))]
    return (told or lines or [""])[0]
