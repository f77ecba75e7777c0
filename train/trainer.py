"""Ultralytics' trainer inside a Ray Train worker: what must be other than it is by itself.

Imported in the worker only: Ultralytics reads its rank when it is first imported.
"""

from collections.abc import Callable
from typing import Any

import torch.distributed as dist
from torch import nn
from ultralytics.models.yolo.detect import DetectionTrainer


class WorkerTrainer(DetectionTrainer):
    """A detection trainer whose process group is Ray's.

    Args:
        overrides: Ultralytics' training options.
        after_batch: Called on every worker after each batch with the trainer.
        after_epoch: Called on every worker after each epoch and its checkpoint.
    """

    def __init__(
        self,
        overrides: dict[str, Any],
        after_batch: Callable[["WorkerTrainer"], None],
        after_epoch: Callable[["WorkerTrainer"], None],
    ) -> None:
        super().__init__(overrides=overrides)
        self.ddp = False  # its own processes are not spawned: Ray's are there
        self._workers = dist.get_world_size()
        self.world_size = self._workers
        self.add_callback("on_train_batch_end", after_batch)
        self.add_callback("on_fit_epoch_end", after_epoch)

    def _setup_ddp(self) -> None:
        if not dist.is_initialized():
            raise RuntimeError("Ray's process group is not there")

    def _setup_train(self) -> None:
        # On a CPU it would wrap the model for device "None"; so it is told of one worker, and the
        # model is wrapped here.
        self.world_size = 1
        super()._setup_train()  # type: ignore[no-untyped-call]
        self.world_size = self._workers
        if self._workers > 1:
            ids = [self.device.index] if self.device.type == "cuda" else None
            wrapped: Any = nn.parallel.DistributedDataParallel(
                self.model, device_ids=ids, find_unused_parameters=True, broadcast_buffers=False
            )
            self.model = wrapped

    def _build_train_pipeline(self) -> None:
        self.world_size = self._workers  # the batch is divided among them
        super()._build_train_pipeline()  # type: ignore[no-untyped-call]

    def final_eval(self) -> None:
        """Not here: what will serve is judged, not the checkpoint."""
