"""Ultralytics' trainer, adapted to a Ray Train worker.

Imported in the worker only: Ultralytics reads its rank when it is first imported.
"""

from collections.abc import Callable, Collection
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from ultralytics.models.yolo.detect import DetectionTrainer, DetectionValidator

from train.fine_tuning.distributed_batch import join_loss, join_normalisation


class WorkerTrainer(DetectionTrainer):
    """A detection trainer whose process group is Ray's.

    Args:
        overrides: Ultralytics' training options.
        after_batch: Called on every worker after each batch with the trainer.
        after_epoch: Called on every worker after each epoch and its checkpoint.
        threads: CPU threads to compute on; None leaves the number to Ultralytics.
        judged: Ids of the classes that choose the best epoch; None for all.
    """

    def __init__(
        self,
        overrides: dict[str, Any],
        after_batch: Callable[["WorkerTrainer"], None],
        after_epoch: Callable[["WorkerTrainer"], None],
        threads: int | None = None,
        judged: Collection[int] | None = None,
    ) -> None:
        super().__init__(overrides=overrides)
        self._judged = judged
        if threads is not None:
            # After the base class, which sets one thread less than there are cores.
            torch.set_num_threads(threads)
        self.ddp = False  # Ultralytics does not spawn processes: Ray has
        self._workers = dist.get_world_size()
        self.world_size = self._workers
        self.add_callback("on_train_epoch_start", _shuffle)
        self.add_callback("on_train_batch_end", after_batch)
        self.add_callback("on_fit_epoch_end", after_epoch)

    def _setup_ddp(self) -> None:
        if not dist.is_initialized():
            raise RuntimeError("Ray's process group is not there")

    def _setup_train(self) -> None:
        # On a CPU the base class would wrap the model for device "None"; told of one worker, it
        # does not wrap it.
        self.world_size = 1
        super()._setup_train()  # type: ignore[no-untyped-call]
        self.world_size = self._workers
        if self._workers > 1:
            network: Any = self.model
            join_normalisation(network)
            network.criterion = network.init_criterion()
            join_loss(network.criterion)
            ids = [self.device.index] if self.device.type == "cuda" else None
            wrapped: Any = nn.parallel.DistributedDataParallel(
                self.model, device_ids=ids, find_unused_parameters=True, broadcast_buffers=False
            )
            self.model = wrapped

    def _build_train_pipeline(self) -> None:
        self.world_size = self._workers  # the batch is divided among them
        super()._build_train_pipeline()  # type: ignore[no-untyped-call]

    def get_validator(self) -> DetectionValidator:
        """The validator, whose fitness is that of the classes that are judged."""
        made: Any = super().get_validator()  # type: ignore[no-untyped-call]
        return made if self._judged is None else _judging(made, self._judged)

    def get_dataloader(
        self, dataset_path: str, batch_size: int = 16, rank: int = 0, mode: str = "train"
    ) -> Any:
        """The images in an order that does not depend on the number of workers."""
        rank = dist.get_rank() if mode == "train" else rank
        return super().get_dataloader(dataset_path, batch_size, rank, mode)

    def save_model(self) -> bool:
        """Write the checkpoints, each whole: a worker that is killed leaves the ones before."""
        whole = {"last": self.last, "best": self.best}
        parts = {name: path.with_suffix(".part") for name, path in whole.items()}
        self.last, self.best = parts["last"], parts["best"]
        try:
            saved = bool(super().save_model())  # type: ignore[no-untyped-call]
            for name, part in parts.items():
                if part.exists():
                    part.replace(whole[name])
        finally:
            self.last, self.best = whole["last"], whole["best"]
            for part in parts.values():
                part.unlink(missing_ok=True)
        return saved

    def final_eval(self) -> None:
        """Nothing: the judge evaluates the exported model, not the checkpoint."""


def _judging(validator: DetectionValidator, judged: Collection[int]) -> DetectionValidator:
    """Let some classes alone choose the best epoch.

    Ultralytics' fitness is the mean over all classes: a class that nobody asked for would choose
    the epoch, and so the model that is judged by the others.
    """
    get_stats = validator.get_stats

    def get_judged_stats() -> dict[str, Any]:
        stats = get_stats()
        box = validator.metrics.box
        found = [float(ap) for k, ap in zip(box.ap_class_index, box.ap, strict=True) if int(k) in judged]
        return stats if not found else {**stats, "fitness": sum(found) / len(found)}

    vars(validator)["get_stats"] = get_judged_stats  # takes precedence over the method of the class
    return validator


def _shuffle(trainer: WorkerTrainer) -> None:
    trainer.train_loader.sampler.set_epoch(trainer.epoch)  # the base class does it for several workers only
