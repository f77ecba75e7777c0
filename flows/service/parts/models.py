"""Versions of the registry."""

from collections.abc import Sequence
from pathlib import Path

from flows.learning.lineage import lineage
from flows.service.parts.state import ServiceState
from flows.service.versions.comparison import compare_versions
from flows.service.views import lineage_view, model_view
from streetloop.control.versions.comparison import VersionComparisonView, VersionForm
from streetloop.control.views import LineageView, ModelView
from streetloop.errors import InputTooLarge, NotFound
from streetloop.ledger.evaluations import evaluations_of
from train.model.find_model import has_registry, open_registry
from train.model_registry import Version

_MAX_EVALUATIONS = 200
MAX_FILE_BYTES = 2 * 1024**3
"""Of a version that is downloaded."""


class ModelService(ServiceState):
    """See `streetloop.control.port.Control`."""

    def models(self) -> list[ModelView]:
        """See `Control.models`."""
        return [model_view(version) for version in self._versions()]

    def lineage(self, version: str) -> list[LineageView]:
        """See `Control.lineage`."""
        self._require_version(version)
        return [lineage_view(one) for one in lineage(self._settings, version)]

    def compare_versions(self, first: str, second: str) -> VersionComparisonView:
        """See `Control.compare_versions`."""
        versions = self._versions()
        one, other = (_version(versions, name) for name in (first, second))
        measured = evaluations_of(self._ledger, {str(one.number), str(other.number)}, _MAX_EVALUATIONS)
        return compare_versions(one, other, measured)

    def version_forms(self, version: str) -> list[VersionForm]:
        """See `Control.version_forms`."""
        found = _version(self._versions(), version)
        has_checkpoint = open_registry(self._settings).has_checkpoint(found)
        if has_checkpoint is None:
            return []
        return ["onnx", "pt"] if has_checkpoint else ["onnx"]

    def version_file(self, version: str, form: VersionForm) -> Path:
        """See `Control.version_file`."""
        if form not in self.version_forms(version):
            raise NotFound(f"version {version} has no {form} file to download")
        onnx = open_registry(self._settings).download(version, self._settings.models / "registry")
        file = onnx if form == "onnx" else onnx.with_suffix(".pt")
        if file.stat().st_size > MAX_FILE_BYTES:
            raise InputTooLarge(
                f"the {form} file of version {version} is too large; `streetloop models export` writes it"
            )
        return file

    def _require_version(self, name: str) -> None:
        _version(self._versions(), name)

    def _versions(self) -> list[Version]:
        return open_registry(self._settings).versions() if has_registry(self._settings) else []


def _version(versions: Sequence[Version], name: str) -> Version:
    for version in versions:
        if name == str(version.number) or name in version.aliases:
            return version
    raise NotFound(f"there is no version {name[:64]!r}; `streetloop models` lists them")
