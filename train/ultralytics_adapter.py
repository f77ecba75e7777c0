"""The adapter of Ultralytics: downloads, opens, trains and exports its checkpoints.

A ``.pt`` file is a pickle: opening one runs code from it. Take them from people you trust, or use
``.onnx`` files, which are data.
"""

import contextlib
import os
import pickle
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image as PillowImage

from streetloop.errors import ModelNotFound, ModelUnsupported, StreetloopError
from streetloop.host.files import copy_whole

if TYPE_CHECKING:
    import torch

_UNPICKLING_ERRORS = (
    *(pickle.UnpicklingError, AttributeError, EOFError, ImportError, KeyError),
    *(OSError, RuntimeError, TypeError, ValueError),
)
"""What unpickling a file that is no checkpoint raises; each becomes `ModelUnsupported`."""

_COMPARED = 100  # boxes of an export

_DOWNLOAD_ERRORS = (OSError, RuntimeError, ValueError)
"""What Ultralytics' download raises; each becomes `ModelNotFound`."""


def export_onnx(checkpoint: Path, target: Path) -> None:
    """Export a checkpoint to ONNX, with batch, height and width free.

    A process of its own does it, so that the caller does not keep half a gigabyte of training
    framework.

    Args:
        checkpoint: The ``.pt`` file.
        target: The ONNX file, which appears whole or not at all.

    Raises:
        ModelUnsupported: Not a checkpoint of a detector.
    """
    _in_a_process(_export, str(checkpoint), str(target))


def download(name: str, folder: Path) -> Path:
    """Download one of Ultralytics' published checkpoints by name, unless it is in ``folder``.

    Args:
        name: Such as ``yolov8n.pt``.
        folder: Where it is kept.

    Raises:
        ModelNotFound: There is no such model, or no network.
    """
    path = folder / name
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _in_a_process(_download, str(path))
    return path


def load_torch(checkpoint: Path, device: str, *, half: bool, end_to_end: bool = False) -> "torch.nn.Module":
    """Load the network of a checkpoint, fused, in evaluation mode.

    Args:
        checkpoint: The ``.pt`` file.
        device: torch's name of the device, such as ``cuda``.
        half: float16 instead of float32.
        end_to_end: Of a network that can do without NMS, as YOLO26: the head that does.

    Raises:
        ModelUnsupported: Not a checkpoint of a detector.
    """
    with _anonymous(str(checkpoint)) as name:
        model: Any = _open(name).model
    if getattr(model, "end2end", end_to_end) != end_to_end:
        model.end2end = end_to_end
    network: torch.nn.Module = model.fuse(verbose=False).eval().to(device)
    return network.half() if half else network.float()


def _in_a_process(function: Any, *args: Any) -> Any:
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(function, *args).result()
        except BrokenProcessPool as error:
            raise ModelUnsupported(f"{args[0]}: the process that opened it died") from error
        except StreetloopError:
            raise
        except Exception as error:
            # The boundary of the process: the exporter raises whatever its libraries do.
            raise ModelUnsupported(f"{args[0]}: {type(error).__name__}: {error}") from error


def prepare() -> None:
    """Prepare this process for training: offline, without Ultralytics' experiment trackers."""
    _offline()
    from ultralytics import settings

    # The trackers would write to the working directory.
    off = {"mlflow": False, "raytune": False, "tensorboard": False, "wandb": False}
    settings.update(off)


def _offline() -> None:
    # Ultralytics installs packages and sends usage data unless it is told not to before its import.
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_VERBOSE", "false")
    if "YOLO_CONFIG_DIR" not in os.environ:
        os.environ["YOLO_CONFIG_DIR"] = tempfile.mkdtemp(prefix="streetloop-ultralytics-")
    from ultralytics.utils import patches

    # Ultralytics replaces Pillow's opener by one that installs a package for files that are no
    # image. It may have done so before: unpickling a checkpoint imports it.
    if PillowImage.open is patches.image_open:
        PillowImage.open = patches._image_open


def _open(checkpoint: str) -> Any:
    _offline()
    from ultralytics import YOLO  # type: ignore[attr-defined]  # takes seconds: only where needed

    try:
        model = YOLO(checkpoint)
    except (AttributeError, ImportError) as error:
        raise ModelUnsupported(
            f"{checkpoint}: was saved by other or newer code than is here ({_first_line(error)}); "
            "export it to ONNX where it was trained"
        ) from None
    except _UNPICKLING_ERRORS as error:
        raise ModelUnsupported(
            f"{checkpoint}: is not an Ultralytics checkpoint ({type(error).__name__})"
        ) from None
    if model.task != "detect":
        raise ModelUnsupported(
            f"{checkpoint}: is a model for the task {model.task!r}; a detector ('detect') is needed"
        )
    return model


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _export(checkpoint: str, target: str) -> None:
    # The exporter writes beside its input, whose folder may be read-only.
    with _anonymous(checkpoint) as name:
        model = _open(name)
        written = Path(model.export(format="onnx", dynamic=True, simplify=False, verbose=False))
        copy_whole(written, Path(target))


def export_with(checkpoint: Path, options: Mapping[str, Any], folder: Path) -> None:
    """Export a checkpoint with Ultralytics' own options, into a new folder.

    Args:
        checkpoint: The ``.pt`` file.
        options: As of `yolo export`; ``format`` is one of them.
        folder: Receives what is written, a file or a folder of the format's name.

    Raises:
        ModelUnsupported: Not a checkpoint of a detector, or Ultralytics cannot export it so.
    """
    _in_a_process(_export_with, str(checkpoint), dict(options), str(folder))


def _export_with(checkpoint: str, options: dict[str, Any], folder: str) -> None:
    with _anonymous(checkpoint) as name:
        written = Path(_open(name).export(**options, device="cpu", verbose=False))
        Path(folder).mkdir()
        shutil.move(written, folder)


def export_differences(checkpoint: Path, exported: Path, image_size: int) -> tuple[float, float]:
    """How far the raw answers of a checkpoint and of an export of it are apart, on one picture.

    Args:
        checkpoint: The ``.pt`` file.
        exported: What Ultralytics wrote, under the name that it gave.
        image_size: Sides of the picture in pixels.

    Returns:
        The median difference of the sides of the likeliest boxes in pixels, and the largest
        difference of a score.

    Raises:
        ModelUnsupported: One of them does not run here.
    """
    found: tuple[float, float] = _in_a_process(_differences, str(checkpoint), str(exported), image_size)
    return found


def _differences(checkpoint: str, exported: str, image_size: int) -> tuple[float, float]:
    _offline()
    import torch
    from ultralytics.nn.autobackend import AutoBackend

    torch.manual_seed(0)
    coarse = torch.rand(1, 3, image_size // 32, image_size // 32)  # shapes, where noise has none
    picture = torch.nn.functional.interpolate(coarse, size=(image_size, image_size), mode="bilinear")
    answers = []
    for path in (checkpoint, exported):
        backend: Any = AutoBackend(path, device=torch.device("cpu"), verbose=False)
        with torch.no_grad():
            answer = backend(picture)
        answers.append(answer[0] if isinstance(answer, list | tuple) else answer)
    apart = (answers[0].float() - answers[1].float()).abs()[0]
    likely = answers[0][0, 4:].amax(dim=0).topk(_COMPARED).indices  # boxes of mere background are noise
    return float(apart[:4, likely].median()), float(apart[4:].max())


@contextlib.contextmanager
def _anonymous(checkpoint: str) -> Iterator[str]:
    """A copy without a name: Ultralytics replaces a file called ``yolov5n.pt`` by a download."""
    with tempfile.TemporaryDirectory() as folder:
        copy = str(shutil.copy(checkpoint, Path(folder) / "model.pt"))
        try:
            yield copy
        except ModelUnsupported as error:
            raise ModelUnsupported(str(error).replace(copy, checkpoint)) from None


def _download(path: str) -> None:
    _offline()
    from ultralytics.utils.downloads import GITHUB_ASSETS_NAMES, attempt_download_asset

    name = Path(path).name
    if name not in GITHUB_ASSETS_NAMES:
        raise ModelNotFound(f"{name}: no such file, and not a model that Ultralytics publishes")
    try:
        attempt_download_asset(path)
    except _DOWNLOAD_ERRORS as error:
        raise ModelNotFound(
            f"{name}: is not here and could not be downloaded ({type(error).__name__}); "
            "give --model the path of a .pt or .onnx file"
        ) from None
    if not Path(path).is_file():
        raise ModelNotFound(
            f"{name}: is not here and could not be downloaded; give --model the path of a .pt or .onnx file"
        )


def train_detector(start: str, data: Path, folder: Path, options: dict[str, Any]) -> Path:
    """Train a detector with Ultralytics' own trainer on the CPU, or resume a stopped training.

    Args:
        start: Checkpoint to start from.
        data: A YOLO ``data.yaml`` with absolute paths.
        folder: Keeps checkpoints and curves; the same folder resumes.
        options: Ultralytics' training arguments.

    Returns:
        The best checkpoint.

    Raises:
        ModelUnsupported: ``start`` is not a checkpoint of a detector.
    """
    best, last = folder / "weights/best.pt", folder / "weights/last.pt"
    if (folder / "finished").is_file():
        return best
    model = _open(str(last if last.is_file() else start))
    prepare()
    model.train(
        data=str(data),
        project=str(folder.parent.absolute()),
        name=folder.name,
        exist_ok=True,
        resume=last.is_file(),
        device="cpu",
        workers=0,
        amp=False,
        plots=False,
        **options,
    )
    (folder / "finished").touch()
    return best


def finished_epochs(checkpoint: Path) -> int:
    """Epochs that were finished when a checkpoint was written; 0 for a damaged or missing file."""
    _offline()
    import torch

    try:
        content = torch.load(checkpoint, map_location="cpu", weights_only=False)
        return int(content["epoch"]) + 1
    except _UNPICKLING_ERRORS:
        return 0


def publish_checkpoint(
    source: Path, target: Path, description: str, start: Path | None = None, share: float = 1.0
) -> None:
    """Copy a checkpoint with only the network and its classes, optionally blended.

    A checkpoint as trained names folders, user and repository of the training machine.

    Args:
        source: The checkpoint as trained.
        target: The copy.
        description: For people.
        start: The checkpoint that the training started from.
        share: Weight of the trained network in the linear interpolation with that of ``start``,
            0 to 1. Lower forgets less of what ``start`` knew and learns less of what is new.
            Weights of other shapes, as of other classes, are always the trained ones.

    Raises:
        ModelUnsupported: One of them is not a checkpoint.
    """
    _in_a_process(_publish, source, target, description, start, share)


def _publish(source: Path, target: Path, description: str, start: Path | None, share: float) -> None:
    _offline()
    import torch

    checkpoint = torch.load(source, map_location="cpu", weights_only=False)
    network = checkpoint.get("ema") or checkpoint["model"]
    if start is not None and share < 1:
        before = torch.load(start, map_location="cpu", weights_only=False)
        _blend(before.get("ema") or before["model"], network.float(), share)
    network = network.half()
    network.args = {"task": "detect", "imgsz": checkpoint["train_args"]["imgsz"]}
    for parameter in network.parameters():
        parameter.requires_grad = False
    kept = {
        "model": network,
        "train_args": network.args,
        "version": checkpoint.get("version"),
        "license": "AGPL-3.0",
        "description": description,
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    torch.save(kept, target)


def _blend(before: Any, network: Any, share: float) -> None:
    """Interpolate the weights of ``network`` linearly towards those of ``before``."""
    known = before.float().state_dict()
    moved = network.state_dict()
    for name, value in moved.items():
        old = known.get(name)
        if old is not None and old.shape == value.shape and value.is_floating_point():
            value.copy_(old.lerp(value, share))
    network.load_state_dict(moved)
