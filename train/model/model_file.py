"""The model file: its path, its version and its metadata."""

import ast
import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import onnx
from google.protobuf.message import DecodeError

from streetloop.errors import ModelNotFound, ModelUnsupported
from streetloop.secrets import redact
from streetloop.settings import BASELINE
from train import ultralytics_adapter

_BASELINE_FILE = Path(__file__).resolve().parents[2] / "models/baseline/baseline.pt"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A detector that can be run.

    Attributes:
        version: The stamp of its detections: name of the file and start of its SHA-256.
        onnx: The ONNX file.
        checkpoint: The Ultralytics checkpoint that it was exported from; None if unknown.
        names: Class names; a class id is an index into them.
        stride: Sides of the input must be multiples of it, in pixels.
        end2end: True if the network itself selects its boxes, so that it needs no NMS.
    """

    version: str
    onnx: Path
    checkpoint: Path | None
    names: tuple[str, ...]
    stride: int
    end2end: bool


def open_model(model: str, cache: Path) -> ModelFile:
    """Find a model and export it to ONNX if needed.

    Args:
        model: A path or ``file:`` URI of an ``.onnx`` or ``.pt`` file, or the name of a checkpoint
            that Ultralytics publishes, such as ``yolo26n.pt``, which is fetched once, or
            ``baseline`` for the one that comes along.
        cache: Folder of exports and downloads. A ``.pt`` is exported once, by content.

    Raises:
        ModelNotFound: It is neither here nor to be fetched.
        ModelUnsupported: It is not a detector.
    """
    path = _locate(model, cache)
    if path.suffix not in {".pt", ".onnx"}:
        raise ModelUnsupported(f"{path}: is neither an .onnx nor a .pt file")
    digest = _sha256(path)
    version = _stamp(path, digest)
    if path.suffix == ".onnx":
        return _read_onnx(path, version, None)
    exported = cache / digest / "model.onnx"
    if not exported.is_file():
        ultralytics_adapter.export_onnx(path, exported)
    return _read_onnx(exported, version, path)


def version_of(path: Path) -> str:
    """The version that `open_model` gives to a file, without opening it as a model.

    Raises:
        ModelNotFound: It cannot be read.
    """
    return _stamp(path, _sha256(path))


def _stamp(path: Path, digest: str) -> str:
    return f"{path.stem}-{digest[:12]}"


def _locate(model: str, cache: Path) -> Path:
    if model == BASELINE:
        return _BASELINE_FILE
    scheme = urlsplit(model).scheme if "://" in model else ""
    if scheme not in {"", "file"}:
        raise ModelNotFound(f"{redact(model)}: unknown scheme {scheme!r}; give a path or a file:// URI")
    path = Path(unquote(urlsplit(model).path)) if scheme else Path(model)
    if path.is_dir():
        raise ModelUnsupported(f"{path}: is a folder, not a model file")
    if path.is_file():
        return path
    if path.name == model and path.suffix == ".pt":
        return ultralytics_adapter.download(model, cache / "downloads")
    raise ModelNotFound(f"{path}: no such model file")


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelNotFound(f"{path}: cannot be read: {error.strerror}") from error


def _read_onnx(path: Path, version: str, checkpoint: Path | None) -> ModelFile:
    try:
        meta = {p.key: p.value for p in onnx.load(path, load_external_data=False).metadata_props}
    except DecodeError as error:
        raise ModelUnsupported(f"{path}: is not an ONNX model") from error
    task = meta.get("task")
    if task is not None and task != "detect":
        raise ModelUnsupported(f"{path}: is a model for the task {task!r}; a detector ('detect') is needed")
    return ModelFile(
        version=version,
        onnx=path,
        checkpoint=checkpoint,
        names=_names(meta.get("names", ""), path),
        stride=_stride(meta.get("stride", "32"), path),
        end2end=meta.get("end2end") == "True",
    )


def _stride(text: str, path: Path) -> int:
    if not text.isdigit() or not 0 < int(text) <= 1024:
        raise ModelUnsupported(f"{path}: its stride {text!r} is not a number of pixels")
    return int(text)


def _names(text: str, path: Path) -> tuple[str, ...]:
    """Class names from the metadata, a Python literal such as ``{0: 'car', 1: 'bus'}``."""
    try:
        table: dict[int, str] = dict(ast.literal_eval(text))
        names = tuple(str(table[index]) for index in range(len(table)))
    except (ValueError, SyntaxError, KeyError, TypeError):
        names = ()
    if not names:
        raise ModelUnsupported(f"{path}: does not name its classes; export it with Ultralytics, which does")
    return names
