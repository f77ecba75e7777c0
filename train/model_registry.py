"""The registry of models; the one file that knows MLflow.

A version carries everything that makes it: weights, the ONNX file that serves, its reference of
drift, the digest of its dataset, its parent, the state of the code, and its scores. It appears
whole or not at all: files go to a run first, and the version is the last thing that is made.
"""

import contextlib
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError

from streetloop.errors import RegistryError
from streetloop.secrets import redact

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION, CHALLENGER = "champion", "challenger"
ALIASES = (CHAMPION, CHALLENGER)

_EXPERIMENT = "streetloop"
_FOLDER = "model"
_FILES = "files"
_TAG = "streetloop."
_LONGEST_TAG = 5000  # characters


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """What is known of a version.

    Attributes:
        dataset: Digest of the dataset that it was trained on.
        parent: The version that it was made from; None for a first.
        classes: Class names.
        commit: State of the code.
        recipe: Options of the training.
        scores: Numbers, by name.
        trigger: What asked for it, such as a drift finding.
        verdict: What the judge found, one sentence each.
        accepted: Whether the judge let it challenge the champion; None if it was not judged.
        model_version: What its detections are stamped with.
    """

    dataset: str
    parent: int | None
    classes: tuple[str, ...]
    commit: str
    recipe: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    trigger: Mapping[str, Any] = field(default_factory=dict)
    verdict: tuple[str, ...] = ()
    model_version: str = ""
    accepted: bool | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the registry."""

    number: int
    made_at: datetime
    run_id: str
    aliases: tuple[str, ...]
    record: VersionRecord


class Registry:
    """Versions of one registered model.

    Args:
        uri: Of MLflow's tracking store and registry.
        artifacts: Folder of artifacts where the store is a database on this machine.
        name: Of the model.
    """

    def __init__(self, uri: str, artifacts: Path, name: str = "detector") -> None:
        self._uri = uri
        self._artifacts = artifacts
        self.name = name
        self._known: MlflowClient | None = None

    def start(self, title: str, params: Mapping[str, Any]) -> str:
        """Begin a run; its id."""
        with self._translated():
            client = self._client()
            run = client.create_run(self._experiment(client), run_name=title)
            for key, value in params.items():
                client.log_param(run.info.run_id, key, str(value)[:500])
            return str(run.info.run_id)

    def log(self, run_id: str, step: int, metrics: Mapping[str, float]) -> None:
        """Note numbers of a run."""
        with self._translated():
            for key, value in metrics.items():
                if np.isfinite(value):
                    name = "".join(c if c.isalnum() or c in "_-./ " else "_" for c in key)
                    self._client().log_metric(run_id, name, float(value), step=step)

    def finish(self, run_id: str, status: str = "FINISHED") -> None:
        """End a run: ``FINISHED``, ``FAILED`` or ``KILLED``."""
        with self._translated():
            self._client().set_terminated(run_id, status)

    def register(
        self, run_id: str, onnx_file: Path, record: VersionRecord, files: Sequence[Path] = ()
    ) -> Version:
        """Make a version out of a run; one that was made of it before is given again.

        Args:
            run_id: Of the training.
            onnx_file: The model that will serve.
            record: What is known of it.
            files: What else belongs to it: checkpoint, reference, plots.

        Raises:
            RegistryError: MLflow cannot be reached; nothing was registered.
        """
        with self._translated(), tempfile.TemporaryDirectory() as folder:
            client = self._client()
            known = client.search_model_versions(f"name='{self.name}' and run_id='{run_id}'")
            if known:
                return self._version(client, known[0])
            home = Path(folder) / _FOLDER
            _save(onnx_file, home)
            (home / _FILES).mkdir()
            for file in files:
                shutil.copy(file, home / _FILES / file.name)
            (home / _FILES / "papers.json").write_text(_to_json(record))
            client.log_artifacts(run_id, str(home), _FOLDER)
            self._ensure_model(client)
            made = client.create_model_version(
                self.name, source=f"runs:/{run_id}/{_FOLDER}", run_id=run_id, tags=_tags(record)
            )
            return self._version(client, made)

    def versions(self) -> list[Version]:
        """All versions, the newest first."""
        with self._translated():
            client = self._client()
            found = client.search_model_versions(f"name='{self.name}'")
            known = [self._version(client, v) for v in found]
        return sorted(known, key=lambda v: -v.number)

    def find(self, name: str) -> Version:
        """A version by number or alias.

        Raises:
            RegistryError: There is none.
        """
        for version in self.versions():
            if name in version.aliases or name == str(version.number):
                return version
        raise RegistryError(f"the registry has no version {name!r} of {self.name}")

    def set_alias(self, alias: str, number: int) -> None:
        """Let an alias stand for a version, and for no other."""
        with self._translated():
            self._client().set_registered_model_alias(self.name, alias, str(number))

    def drop_alias(self, alias: str) -> None:
        """Let an alias stand for nothing."""
        with self._translated():
            self._client().delete_registered_model_alias(self.name, alias)

    def download(self, name: str, cache: Path) -> Path:
        """The ONNX file of a version, with what else belongs to it beside it.

        Args:
            name: Number or alias.
            cache: Where files are kept; a version never changes, so once is enough.
        """
        version = self.find(name)
        stem = f"{self.name}-{version.number}"
        target = cache / stem
        if not (target / f"{stem}.onnx").is_file():
            with self._translated():
                cache.mkdir(parents=True, exist_ok=True)
                # A folder of its own: another thread may be fetching the same version.
                with tempfile.TemporaryDirectory(prefix=f".{stem}.", dir=cache) as folder:
                    part = Path(folder) / stem
                    self._fetch(version, part, stem)
                    with contextlib.suppress(OSError):  # somebody else was first
                        part.replace(target)
        return target / f"{stem}.onnx"

    def _fetch(self, version: Version, part: Path, stem: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            got = Path(self._client().download_artifacts(version.run_id, _FOLDER, folder))
            part.mkdir()
            # Copied: a local store hands out its own files.
            shutil.copy(got / "model.onnx", part / f"{stem}.onnx")
            for file in (got / _FILES).iterdir():
                name = f"{stem}.pt" if file.suffix == ".pt" else file.name
                name = f"{stem}.reference.npz" if file.name.endswith(".reference.npz") else name
                shutil.copy(file, part / name)

    def _client(self) -> "MlflowClient":
        if self._known is None:
            os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
            os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
            # By default a server that is away is asked for four minutes.
            os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
            os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
            from mlflow import MlflowClient  # takes seconds: only where needed

            if "MLFLOW_LOGGING_LEVEL" not in os.environ:
                # How it lays out a new database is for no terminal.
                logging.getLogger("mlflow").setLevel(logging.WARNING)
            if self._uri.startswith("sqlite:///"):
                Path(self._uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
            self._known = MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)
        return self._known

    def _experiment(self, client: "MlflowClient") -> str:
        found = client.get_experiment_by_name(_EXPERIMENT)
        if found is not None:
            return str(found.experiment_id)
        local = self._uri.startswith("sqlite:///")
        place = (self._artifacts / "artifacts").absolute().as_uri() if local else None
        return str(client.create_experiment(_EXPERIMENT, artifact_location=place))

    def _ensure_model(self, client: "MlflowClient") -> None:
        if not client.search_registered_models(f"name='{self.name}'"):
            client.create_registered_model(self.name)

    def _version(self, client: "MlflowClient", found: Any) -> Version:
        # A search leaves aliases out; the single version has them.
        whole = client.get_model_version(self.name, found.version)
        made_at = datetime.fromtimestamp(whole.creation_timestamp / 1000, UTC)
        return Version(
            int(whole.version), made_at, str(whole.run_id), tuple(whole.aliases), _record(whole.tags)
        )

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        from mlflow.exceptions import MlflowException
        from requests.exceptions import RequestException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (MlflowException, RequestException, SQLAlchemyError, OSError) as error:
            raise RegistryError(f"the registry did not answer: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """What a disk or a database says, if it was one of them; servers may say too much."""
    said = getattr(error, "strerror", None) or getattr(error, "orig", None)
    return redact(str(said)[:200]) if said else type(error).__name__


def _save(onnx_file: Path, home: Path) -> None:
    """The MLflow form of an ONNX model, with signature and example of its input."""
    import mlflow.onnx
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    try:
        model = onnx.load(str(onnx_file))
    except DecodeError as error:
        raise RegistryError(f"{onnx_file}: is not an ONNX model") from error
    names = [value.name for value in (model.graph.input[0], model.graph.output[0])]
    image = TensorSpec(np.dtype(np.float32), (-1, 3, -1, -1), names[0])
    boxes = TensorSpec(np.dtype(np.float32), (-1, -1, -1), names[1])
    mlflow.onnx.save_model(
        model,
        str(home),
        signature=ModelSignature(inputs=Schema([image]), outputs=Schema([boxes])),
        input_example=np.zeros((1, 3, 64, 64), np.float32),
        pip_requirements=["onnxruntime"],
        save_as_external_data=False,
    )


def _to_json(record: VersionRecord) -> str:
    return json.dumps({name: getattr(record, name) for name in VersionRecord.__dataclass_fields__})


def _tags(record: VersionRecord) -> dict[str, str]:
    written = {key: json.dumps(value) for key, value in json.loads(_to_json(record)).items()}
    # What does not fit stands in papers.json beside the model; half of it could not be read.
    return {f"{_TAG}{key}": text for key, text in written.items() if len(text) <= _LONGEST_TAG}


def _record(tags: Mapping[str, str]) -> VersionRecord:
    found = {key.removeprefix(_TAG): json.loads(value) for key, value in tags.items() if key.startswith(_TAG)}
    known = {key: value for key, value in found.items() if key in VersionRecord.__dataclass_fields__}
    for key in ("classes", "verdict"):
        known[key] = tuple(known.get(key, ()))
    return VersionRecord(
        **{"dataset": "", "parent": None, "commit": "", **known}  # made by somebody else: unknown
    )


def stamp() -> str:
    """Names a run so that names sort by time."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
