"""The model registry: the only adapter of MLflow.

A version carries all that describes it: weights, the ONNX file that serves, the drift reference,
the digest of its dataset, its parent, the commit of the code, and its scores. It appears whole or
not at all: files go to a run first, and the version is created last.
"""

import contextlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError

from streetloop.errors import RegistryError, VersionUnknown
from streetloop.host.structured_log import ids
from streetloop.secrets import redact
from streetloop.sqlite_url import sqlite_path
from train.model.operating_points import write_thresholds
from train.version_record import Version as Version
from train.version_record import VersionRecord as VersionRecord
from train.version_record import (
    dataset_from_tags,
    record_from_tags,
    record_to_json,
    record_to_tags,
    thresholds_to_tag,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION, CHALLENGER = "champion", "challenger"
ALIASES = (CHAMPION, CHALLENGER)

_log = logging.getLogger(__name__)

_EXPERIMENT = "streetloop"
_FOLDER = "model"
_FILES = "files"
_RECORD_FILE = "papers.json"  # the name that registries of earlier versions have


class Registry:
    """The versions of one registered model.

    Every method raises `RegistryError` if MLflow, its database or its disk fails.

    Args:
        uri: MLflow's tracking store and registry: ``sqlite:///PATH``, or a server's address.
        artifacts: Folder of artifacts for a ``sqlite:///`` store; a server has its own.
        name: Name of the registered model.
    """

    def __init__(self, uri: str, artifacts: Path, name: str = "detector") -> None:
        self._uri = uri
        self._artifacts = artifacts
        self.name = name
        self._known: MlflowClient | None = None

    def start(self, title: str, params: Mapping[str, Any]) -> str:
        """Begin a run with its parameters, each cut to 500 characters; returns its id.

        Args:
            title: Of the run.
            params: Its parameters.
        """
        with self._translated():
            client = self._client()
            run = client.create_run(self._experiment(client), run_name=title)
            for key, value in params.items():
                client.log_param(run.info.run_id, key, str(value)[:500])
            return str(run.info.run_id)

    def log(self, run_id: str, step: int, metrics: Mapping[str, float]) -> None:
        """Log metrics of a run at a step; NaN and infinity are left out.

        Args:
            run_id: The run.
            step: Such as the epoch, from 0.
            metrics: Values by name.
        """
        with self._translated():
            for key, value in metrics.items():
                if np.isfinite(value):
                    name = "".join(c if c.isalnum() or c in "_-./ " else "_" for c in key)
                    self._client().log_metric(run_id, name, float(value), step=step)

    def finish(self, run_id: str, status: str = "FINISHED") -> None:
        """End a run as ``FINISHED``, ``FAILED`` or ``KILLED``."""
        with self._translated():
            self._client().set_terminated(run_id, status)

    def register(
        self, run_id: str, onnx_file: Path, record: VersionRecord, files: Sequence[Path] = ()
    ) -> Version:
        """Register a run as a version; a second call returns the version of the first.

        Args:
            run_id: MLflow's id of the training run.
            onnx_file: The model that will serve.
            record: What describes it.
            files: What else belongs to it: checkpoint, drift reference, plots.

        Raises:
            RegistryError: MLflow cannot be reached, or the file is not ONNX; the registry is as
                before.
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
            (home / _FILES / _RECORD_FILE).write_text(record_to_json(record))
            client.log_artifacts(run_id, str(home), _FOLDER)
            self._ensure_model(client)
            made = client.create_model_version(
                self.name, source=f"runs:/{run_id}/{_FOLDER}", run_id=run_id, tags=record_to_tags(record)
            )
            _log.info("a version is registered", extra=ids(version=made.version, dataset=record.dataset))
            return self._version(client, made)

    def versions(self) -> list[Version]:
        """All versions, newest first; one whose tags cannot be read is left out with a warning."""
        known = []
        for number, found in self._all():
            try:
                known.append(self._read(found))
            except RegistryError as error:
                _warn_once(f"version {number} of {self.name} is not shown: {error}")
        return known

    def find(self, name: str) -> Version:
        """A version by number or alias.

        Args:
            name: The number or the alias.

        Raises:
            VersionUnknown: There is none.
            RegistryError: Its tags cannot be read.
        """
        version = self.look_up(name)
        if version is None:
            raise VersionUnknown(f"the registry has no version {name!r} of {self.name}")
        return version

    def look_up(self, name: str) -> Version | None:
        """The same, or None if there is none.

        Raises:
            RegistryError: There is one, and its tags cannot be read.
        """
        for number, found in self._all():
            if name in found.aliases or name == str(number):
                try:
                    return self._read(found)
                except RegistryError as error:
                    raise RegistryError(f"version {number} of {self.name}: {error}") from None
        return None

    def datasets(self) -> set[str]:
        """Digests of the datasets of all versions, also of those that `versions` leaves out.

        Raises:
            RegistryError: A version does not say its dataset.
        """
        return {dataset_from_tags(found.tags) for _, found in self._all()} - {""}

    def _all(self) -> list[tuple[int, Any]]:
        """Numbers and MLflow's own records of all versions, newest first."""
        with self._translated():
            client = self._client()
            found = client.search_model_versions(f"name='{self.name}'")
            # A search leaves aliases out; the single version has them.
            whole = [client.get_model_version(self.name, one.version) for one in found]
        return sorted(((int(one.version), one) for one in whole), key=lambda item: -item[0])

    def set_alias(self, alias: str, number: int) -> None:
        """Give an alias to a version; the version that had it loses it.

        Args:
            alias: The alias.
            number: Number of the version.
        """
        with self._translated():
            self._client().set_registered_model_alias(self.name, alias, str(number))

    def drop_alias(self, alias: str) -> None:
        """Remove an alias."""
        with self._translated():
            self._client().delete_registered_model_alias(self.name, alias)

    def set_thresholds(self, number: int, thresholds: Mapping[str, float]) -> None:
        """Set the confidence from which on each class of a version is shown.

        Args:
            number: Number of the version.
            thresholds: Confidence by class name; they replace those that the version has.

        Raises:
            RegistryError: The version has no such class.
        """
        key, text = thresholds_to_tag(self.find(str(number)).record, thresholds)
        with self._translated():
            self._client().set_model_version_tag(self.name, str(number), key, text)

    def download(self, name: str, cache: Path) -> Path:
        """Download a version; returns its ONNX file, with its other files beside it.

        Args:
            name: Number or alias.
            cache: Folder of downloads; a version's files never change, so they are fetched once.
                Its thresholds may, so they are written each time.

        Raises:
            RegistryError: There is no such version, or it has no model file of ours.
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
                    with contextlib.suppress(OSError):  # another thread was first
                        part.replace(target)
        with self._translated():
            write_thresholds(target / f"{stem}.onnx", version.record.thresholds)
        return target / f"{stem}.onnx"

    def has_checkpoint(self, version: Version) -> bool | None:
        """Whether a version has a ``.pt`` checkpoint; None if it has no files of ours."""
        with self._translated():
            if not version.run_id:
                return None
            files = self._client().list_artifacts(version.run_id, f"{_FOLDER}/{_FILES}")
            return any(file.path.endswith(".pt") for file in files) if files else None

    def _fetch(self, version: Version, part: Path, stem: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            if not version.run_id or not self._client().list_artifacts(version.run_id, f"{_FOLDER}/{_FILES}"):
                raise RegistryError(
                    f"version {version.number} of {self.name} has no files of streetloop: other software "
                    "registered it; `streetloop models register FILE` registers a model with all it needs"
                )
            got = Path(self._client().download_artifacts(version.run_id, _FOLDER, folder))
            part.mkdir()
            # Copied: a local store returns its own files.
            shutil.copy(got / "model.onnx", part / f"{stem}.onnx")
            for file in (got / _FILES).iterdir():
                name = f"{stem}.pt" if file.suffix == ".pt" else file.name
                name = f"{stem}.reference.npz" if file.name.endswith(".reference.npz") else name
                shutil.copy(file, part / name)

    def _client(self) -> "MlflowClient":
        if self._known is None:
            os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
            os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
            # By default MLflow retries for four minutes.
            os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
            os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
            from mlflow import MlflowClient  # takes seconds: only where needed

            if "MLFLOW_LOGGING_LEVEL" not in os.environ:
                # It logs every migration of a new database.
                logging.getLogger("mlflow").setLevel(logging.WARNING)
            if (local := sqlite_path(self._uri)) is not None:
                local.parent.mkdir(parents=True, exist_ok=True)
            self._known = MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)
            if local is not None and str(local) != self._uri.removeprefix("sqlite:///"):
                self._known.search_registered_models(max_results=1)  # opens the registry's store, too
                _remove_empty(Path(self._uri.removeprefix("sqlite:///")).parent)
        return self._known

    def _experiment(self, client: "MlflowClient") -> str:
        found = client.get_experiment_by_name(_EXPERIMENT)
        if found is not None:
            return str(found.experiment_id)
        local = sqlite_path(self._uri)
        place = None if local is None else (self._artifacts / "artifacts").absolute().as_uri()
        return str(client.create_experiment(_EXPERIMENT, artifact_location=place))

    def _ensure_model(self, client: "MlflowClient") -> None:
        if not client.search_registered_models(f"name='{self.name}'"):
            client.create_registered_model(self.name)

    def _version(self, client: "MlflowClient", found: Any) -> Version:
        return self._read(client.get_model_version(self.name, found.version))

    @staticmethod
    def _read(found: Any) -> Version:
        made_at = datetime.fromtimestamp(found.creation_timestamp / 1000, UTC)
        aliases, run_id = tuple(found.aliases), str(found.run_id or "")
        return Version(int(found.version), made_at, run_id, aliases, record_from_tags(found.tags))

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except vendor_errors() as error:
            # A server's password is in its URL.
            where = "" if sqlite_path(self._uri) else f" at {redact(self._uri)}, STREETLOOP_TRACKING_URI,"
            raise RegistryError(f"the registry{where} did not answer: {_reason(error)}") from error


@lru_cache(maxsize=256)
def _warn_once(sentence: str) -> None:
    """Log a warning, but not again each time that running streams look at the registry."""
    _log.warning("%s", sentence)


def vendor_errors() -> tuple[type[Exception], ...]:
    """All that MLflow, its HTTP client and its database raise; each becomes `RegistryError`."""
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    return MlflowException, RequestException, SQLAlchemyError, OSError


def _reason(error: Exception) -> str:
    """The message of a disk or a database; a server's may hold secrets, so only its type."""
    said = getattr(error, "strerror", None) or getattr(error, "orig", None)
    return redact(str(said)[:200]) if said else type(error).__name__


def _remove_empty(folder: Path) -> None:
    """Remove the folder that MLflow makes for a database whose URL it does not unquote."""
    with contextlib.suppress(OSError):  # the first that is not empty was not made by it
        for made in (folder, *folder.parents):
            made.rmdir()


def _save(onnx_file: Path, home: Path) -> None:
    """Write an ONNX model in MLflow's form, with the signature and an example of its input."""
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


def stamp() -> str:
    """A name for a run by the time now (UTC), such that names sort by time."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
