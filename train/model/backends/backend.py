"""The protocol of a backend."""

from typing import Protocol

import numpy as np

from streetloop.types import Floats, Image


class Backend(Protocol):
    """Runs one network. Thread-safe.

    Attributes:
        name: Runtime and precision, such as ``openvino/bf16``.
        device: ``cpu`` or ``gpu``.
    """

    name: str
    device: str

    def run(self, images: Image) -> Floats:
        """Run the network.

        Args:
            images: (B, H, W, 3) uint8, blue first, sides multiples of the model's stride.

        Returns:
            The raw float32 output; `train.model.postprocess.decode` knows its layouts.

        Raises:
            DetectorError: The runtime failed on the batch.
        """


def random_batch(shape: tuple[int, int, int], seed: int = 0) -> Image:
    """A (B, H, W, 3) uint8 batch of noise, to warm up a backend.

    Args:
        shape: (B, H, W).
        seed: Of the noise.
    """
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
