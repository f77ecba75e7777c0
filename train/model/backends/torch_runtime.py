"""Ultralytics' own network under torch."""

from pathlib import Path

import torch

from streetloop.errors import DetectorError
from streetloop.types import Floats, Image
from train import ultralytics_adapter


def has_gpu() -> bool:
    """True if torch can use a GPU here."""
    return torch.cuda.is_available()


class TorchBackend:
    """The network of a checkpoint under torch; half precision on a GPU.

    Args:
        checkpoint: The ``.pt`` file.
        threads: CPU threads of one inference, of the whole process. 0 leaves the number to torch.
        end_to_end: True if the network is to select its boxes itself, where it can do both.
    """

    def __init__(self, checkpoint: Path, threads: int = 0, *, end_to_end: bool = False) -> None:
        self._half = has_gpu()
        self.device = "gpu" if self._half else "cpu"
        self._where = "cuda" if self._half else "cpu"
        if threads and not self._half:
            torch.set_num_threads(threads)
        self._network = ultralytics_adapter.load_torch(
            checkpoint, self._where, half=self._half, end_to_end=end_to_end
        )
        self.name = f"torch/{'fp16' if self._half else 'fp32'}"

    def run(self, images: Image) -> Floats:
        """See `train.model.backends.backend.Backend.run`."""
        try:
            with torch.inference_mode():
                batch = torch.from_numpy(images).to(self._where).flip(-1).permute(0, 3, 1, 2)
                scaled = (batch.half() if self._half else batch.float()) / 255
                output = self._network(scaled)
                raw = output[0] if isinstance(output, (tuple, list)) else output
                result: Floats = raw.float().cpu().numpy()
        except RuntimeError as error:
            raise DetectorError(f"torch failed on {images.shape}: {error}") from error
        return result
