"""Fine-tuning on Ray Train with one worker or several; resumes after failures."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
import ray.train
import ray.train.torch
from ray.exceptions import RayError

from streetloop.errors import TrainingError
from streetloop.host.files import copy_whole
from streetloop.host.processes import lower_priority
from train.fine_tuning.malloc import disable_malloc_trim
from train.fine_tuning.progress import listening, tell
from train.fine_tuning.recipe import BLEND, THREADS, Progress, Training
from train.ray_placement import on_this_node

if TYPE_CHECKING:
    from train.fine_tuning.worker_trainer import WorkerTrainer

_OWN_OPTIONS = {BLEND, THREADS}  # of a recipe; Ultralytics knows the others
_MIN_FREE_BYTES = 64 * 2**20  # two checkpoints of a small detector with its optimizer


def fine_tune(training: Training, progress: Callable[[Progress], None] = lambda _: None) -> Path:
    """Train; returns the best checkpoint.

    Needs a running Ray. The death of a worker costs at most an epoch. After the death of the driver
    a training of the same name resumes.

    Args:
        training: What to train.
        progress: Called in a thread of its own after each batch and epoch.

    Raises:
        TrainingError: All retries failed; the message says why.
    """
    best = training.folder / f"{training.name}-best.pt"
    if best.is_file():  # the driver died after the last epoch
        return best
    told = training.folder.absolute() / f"{training.name}-progress.jsonl"
    config = {
        "start": str(training.start.absolute()),
        "data": str(training.data.absolute()),
        "folder": str(training.folder.absolute() / training.name),
        "recipe": dict(training.recipe),
        "gpu": training.gpu,
        "told": str(told),
        "judged": training.judged,
    }
    trainer = ray.train.torch.TorchTrainer(
        train_in_worker,
        train_loop_config=config,
        scaling_config=ray.train.ScalingConfig(
            num_workers=training.workers,
            use_gpu=training.gpu,
            resources_per_worker={"CPU": 0.25, **({"GPU": 1} if training.gpu else {}), **on_this_node()},
        ),
        run_config=ray.train.RunConfig(
            name=training.name,
            storage_path=str(training.folder.absolute()),
            failure_config=ray.train.FailureConfig(max_failures=training.retries),
            checkpoint_config=ray.train.CheckpointConfig(num_to_keep=2),
        ),
    )
    with listening(told, progress):
        try:
            result = trainer.fit()
        except (RayError, ray.train.TrainingFailedError) as error:
            cause = _full(training.folder) or _cause(error)
            raise TrainingError(f"training {training.name} failed: {cause}") from error
    if result.checkpoint is None:
        raise TrainingError(f"training {training.name} ended before its first epoch")
    with result.checkpoint.as_directory() as folder:
        copy_whole(Path(folder) / "best.pt", best)
    return best


def train_in_worker(config: dict[str, Any]) -> None:
    """The body of each worker; after a failure Ray calls it again with the last checkpoint."""
    from train.ultralytics_adapter import prepare

    lower_priority()
    disable_malloc_trim()
    prepare()
    from train.fine_tuning.worker_trainer import WorkerTrainer

    overrides = _overrides(config)
    if _is_over(overrides):
        # A process died or the disk was full after the last epoch was written.
        _hand_over(Path(overrides["resume"]).parent, {})
        return
    threads = None if config["gpu"] else config["recipe"].get(THREADS)
    told = Path(config["told"])
    reporters = (_batch_reporter(told), _epoch_reporter(told))
    trainer = WorkerTrainer(overrides, *reporters, threads, config["judged"])
    trainer.train()  # type: ignore[no-untyped-call]


def _overrides(config: Mapping[str, Any]) -> dict[str, Any]:
    folder = Path(config["folder"])
    weights = folder / "ultralytics/weights"
    overrides: dict[str, Any] = {
        **{key: value for key, value in config["recipe"].items() if key not in _OWN_OPTIONS},
        "model": config["start"],
        "data": config["data"],
        "project": str(folder),
        "name": "ultralytics",
        "exist_ok": True,
        "plots": False,
        "device": "0" if config["gpu"] else "cpu",
        **({} if config["gpu"] else {"workers": 0, "amp": False}),
    }
    if _restored(weights):
        overrides["resume"] = str(weights / "last.pt")
    return overrides


def _restored(weights: Path) -> bool:
    """Put the newest checkpoint in place; False if there is none.

    Ray's may be an epoch older than that of the worker that died, which may be cut short.
    """
    from train.ultralytics_adapter import finished_epochs

    checkpoint = ray.train.get_checkpoint()
    if checkpoint is not None:
        with checkpoint.as_directory() as stored:
            if finished_epochs(Path(stored) / "last.pt") > finished_epochs(weights / "last.pt"):
                weights.mkdir(parents=True, exist_ok=True)
                for name in ("last.pt", "best.pt"):
                    shutil.copy(Path(stored) / name, weights / name)
    if not finished_epochs(weights / "last.pt"):
        return False
    if not finished_epochs(weights / "best.pt"):  # cut short, as by a full disk
        copy_whole(weights / "last.pt", weights / "best.pt")
    return True


def _is_over(overrides: Mapping[str, Any]) -> bool:
    """True if all epochs are done: Ultralytics refuses to resume then."""
    from train.ultralytics_adapter import finished_epochs

    last = overrides.get("resume")
    return last is not None and finished_epochs(Path(last)) >= overrides["epochs"]


def _hand_over(weights: Path, numbers: Mapping[str, float]) -> None:
    """Report an epoch to Ray; only the first worker has a checkpoint."""
    if ray.train.get_context().get_world_rank() != 0:
        ray.train.report({})
        return
    # Ray has copied the folder when this returns; until then nothing writes there.
    ray.train.report(dict(numbers), ray.train.Checkpoint.from_directory(weights))


def _batch_reporter(told: Path) -> Callable[["WorkerTrainer"], None]:
    seen = 0

    def report(trainer: "WorkerTrainer") -> None:
        nonlocal seen
        seen += 1
        if ray.train.get_context().get_world_rank() == 0:
            batches = len(trainer.train_loader)
            share = ((seen - 1) % batches + 1) / batches
            losses = _losses(trainer, "")
            tell(told, Progress(trainer.epoch, trainer.epochs, share, losses))

    return report


def _epoch_reporter(told: Path) -> Callable[["WorkerTrainer"], None]:
    def report(trainer: "WorkerTrainer") -> None:
        metrics: dict[str, Any] = trainer.metrics or {}
        numbers = {name: float(value) for name, value in metrics.items()}
        if ray.train.get_context().get_world_rank() == 0:
            losses = _losses(trainer, "loss/")
            done = Progress(trainer.epoch, trainer.epochs, 1.0, {**losses, **numbers}, epoch_over=True)
            tell(told, done)
        _hand_over(Path(trainer.last).parent, numbers)

    return report


def _losses(trainer: "WorkerTrainer", prefix: str) -> dict[str, float]:
    running: Any = trainer.tloss  # the means of the epoch so far
    found: dict[str, Any] = dict(running or {})
    return {f"{prefix}{name}": float(value) for name, value in found.items()}


def _full(folder: Path) -> str | None:
    """A sentence if the disk is full: Torch's and Ray's errors do not say so."""
    free = shutil.disk_usage(folder).free
    return f"the disk of {folder} is full" if free < _MIN_FREE_BYTES else None


def _cause(error: BaseException) -> str:
    """The last line of an error: Ray's carry the whole traceback of each worker."""
    failures = getattr(error, "worker_failures", None) or {}
    text = str(next(iter(failures.values()), error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:500] if lines else type(error).__name__
