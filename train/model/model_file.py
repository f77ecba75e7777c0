"""The model file: its path, its version and its metadata."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import onnx
from google.protobuf.message import DecodeError
from onnx.external_data_helper import ExternalDataInfo, _get_all_tensors, uses_external_data

from streetloop.counted_classes import is_one_line
from streetloop.errors import ModelNotFound, ModelUnsupported
from streetloop.host.paths import PathKind, is_file, kind_of
from streetloop.secrets import redact
from streetloop.settings import BASELINE
from train import ultralytics_adapter
from train.model.contract import ModelContract
from train.model.contract_reader import read_contract
from train.model.operating_points import read_thresholds, thresholds_file

_BASELINE_FILE = Path(__file__).resolve().parents[2] / "models/baseline/baseline.pt"

_NO_MODELS = {
    b"version https://git-lfs": "is a pointer of Git LFS, not the model; fetch it by `git lfs pull`",
    b"<!doctype": "is a web page, not a model; download the file itself",
    b"<html": "is a web page, not a model; download the file itself",
}
"""What files are that were meant to be models, by how they begin."""

_CHECKPOINTS = (b"PK\x03\x04", b"\x80")  # a zip, or, before PyTorch 1.6, a pickle


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A detector that can be run.

    Attributes:
        version: The stamp of its detections: name of the file and start of its SHA-256, which
            covers weights in files beside it; with thresholds also the start of theirs.
        onnx: The ONNX file.
        checkpoint: The Ultralytics checkpoint that it was exported from; None if unknown.
        contract: What it takes and answers.
        thresholds: Confidence from which on a class is shown, by class name; see
            `train.model.operating_points`.
    """

    version: str
    onnx: Path
    checkpoint: Path | None
    contract: ModelContract
    thresholds: Mapping[str, float] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Class names; a class id is an index into them."""
        return self.contract.names


def open_model(model: str, cache: Path) -> ModelFile:
    """Find a model and export it to ONNX if needed.

    Args:
        model: A path or ``file:`` URI of an ``.onnx`` or ``.pt`` file, or the name of a checkpoint
            that Ultralytics publishes, such as ``yolo26n.pt``, which is fetched once, or
            ``baseline`` for the one that comes along.
        cache: Folder of exports and downloads. A ``.pt`` is exported once, by content.

    Raises:
        ModelNotFound: It is neither here nor to be fetched.
        ModelUnsupported: It is not a detector that runs here.
    """
    path = _locate(model, cache)
    kind = path.suffix.lower()
    if kind not in {".pt", ".onnx"}:
        raise ModelUnsupported(f"{path}: is neither an .onnx nor a .pt file")
    digest, thresholds = _digest(path), read_thresholds(path)
    if kind == ".pt":
        _refuse_no_pickle(path)
    version = _stamp(path, digest, thresholds)
    if kind == ".onnx":
        return ModelFile(version, path, None, read_contract(path), thresholds)
    exported = cache / digest / "model.onnx"
    if not exported.is_file():
        ultralytics_adapter.export_onnx(path, exported)
    return ModelFile(version, exported, path, read_contract(exported), thresholds)


def version_of(path: Path) -> str:
    """The version that `open_model` gives to a file, without opening it as a model.

    Raises:
        ModelNotFound: It cannot be read.
    """
    return _stamp(path, _digest(path), read_thresholds(path))


def files_of(path: Path) -> list[Path]:
    """A model file, and behind it those that belong to it: weights of an ONNX file, thresholds.

    Raises:
        ModelUnsupported: It is no ONNX file, or its weights are missing.
    """
    weights = _weight_files(path) if path.suffix.lower() == ".onnx" else []
    thresholds = thresholds_file(path)
    return [path, *weights, *([thresholds] if is_file(thresholds, ModelUnsupported) else [])]


def content_digest(path: Path) -> str:
    """SHA-256 of all that belongs to a model file.

    Raises:
        ModelNotFound: A file cannot be read.
        ModelUnsupported: A file is empty, is no ONNX file, or its weights are missing.
    """
    return hashlib.sha256("".join(map(_sha256, files_of(path))).encode()).hexdigest()


def _stamp(path: Path, digest: str, thresholds: Mapping[str, float]) -> str:
    """A model with other thresholds shows other boxes, so it has another stamp."""
    if not thresholds:
        return f"{path.stem}-{digest[:12]}"
    table = hashlib.sha256(json.dumps(sorted(thresholds.items())).encode()).hexdigest()
    return f"{path.stem}-{digest[:12]}-t{table[:6]}"


def _locate(model: str, cache: Path) -> Path:
    if model == BASELINE:
        return _BASELINE_FILE
    if not model.strip():
        raise ModelNotFound("the model has no name; give a path, a published name, or baseline")
    if not is_one_line(model):
        raise ModelNotFound(f"the model {model[-60:]!r} has a line break or a control character in its name")
    scheme = urlsplit(model).scheme if "://" in model else ""
    if scheme not in {"", "file"}:
        raise ModelNotFound(f"{redact(model)}: unknown scheme {scheme!r}; give a path or a file:// URI")
    if scheme and "#" in model:
        raise ModelNotFound(f"{model}: a # would end the address there; write # as %23")
    # A shell expands ~, a camera file and a variable do not.
    path = Path(unquote(urlsplit(model).path)) if scheme else Path(model)
    path = path.expanduser() if model.startswith("~/") else path
    kind = kind_of(path, ModelNotFound)
    if kind is PathKind.FOLDER:
        raise ModelUnsupported(f"{path}: is a folder, not a model file")
    if kind is PathKind.FILE:
        return path
    if path.name == model and path.suffix.lower() == ".pt":
        return ultralytics_adapter.download(model, cache / "downloads")
    raise ModelNotFound(f"{path}: no such model file")


def _digest(path: Path) -> str:
    """SHA-256 of a model file, and of the files that hold its weights if it names some.

    Raises:
        ModelNotFound: It cannot be read.
        ModelUnsupported: It is empty, no ONNX file, or its weights are missing.
    """
    digest = _sha256(path)
    if path.suffix.lower() != ".onnx":
        return digest
    beside = _weight_files(path)
    if not beside:
        return digest
    return hashlib.sha256("".join([digest, *map(_sha256, beside)]).encode()).hexdigest()


def _weight_files(path: Path) -> list[Path]:
    """The files of an ONNX model's external data, each once."""
    ends: dict[Path, int] = {}
    for info in _weights_beside(path):
        file = path.parent / info.location
        ends[file] = max(ends.get(file, 0), (info.offset or 0) + (info.length or 0))
    for file, end in ends.items():
        if not is_file(file, ModelUnsupported):
            raise ModelUnsupported(f"{path}: its weights are in {file.name}, which is not beside it")
        if file.stat().st_size < end:
            raise ModelUnsupported(f"{path}: its weights in {file.name} are cut short")
    return sorted(ends)


def has_weights_beside(path: Path) -> bool:
    """Whether an ONNX file names other files for its weights, without looking at them.

    Args:
        path: The ONNX file.

    Raises:
        ModelUnsupported: It is none.
    """
    return bool(_weights_beside(path))


def _weights_beside(path: Path) -> list[ExternalDataInfo]:
    try:
        model = onnx.load(path, load_external_data=False)
    except DecodeError as error:
        raise ModelUnsupported(f"{path}: is not an ONNX model, or is cut short") from error
    tensors = [tensor for tensor in _get_all_tensors(model) if uses_external_data(tensor)]
    try:
        found = [ExternalDataInfo(tensor) for tensor in tensors]
    except ValueError as error:  # a number that is none
        raise ModelUnsupported(f"{path}: does not say where its weights are beside it") from error
    if any(not info.location or min(info.offset or 0, info.length or 0) < 0 for info in found):
        raise ModelUnsupported(f"{path}: does not say where its weights are beside it")
    return found


def _refuse_no_pickle(path: Path) -> None:
    """Refuse what PyTorch has not written, before its libraries are loaded, which takes seconds.

    Raises:
        ModelUnsupported: It has not.
    """
    with path.open("rb") as file:
        if not file.read(4).startswith(_CHECKPOINTS):
            raise ModelUnsupported(f"{path}: is not an Ultralytics checkpoint; PyTorch has not written it")


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            begin = file.peek(512)[:512]
            if not begin:
                raise ModelUnsupported(f"{path}: is empty")
            for sign, what in _NO_MODELS.items():
                if begin.lstrip().lower().startswith(sign):
                    raise ModelUnsupported(f"{path}: {what}")
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelNotFound(f"{path}: cannot be read: {error.strerror}") from error
