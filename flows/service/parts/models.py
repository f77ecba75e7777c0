"""Versions of the registry."""

from flows.learning.lineage import lineage
from flows.service.parts.state import ServiceState
from flows.service.views import lineage_view, model_view
from streetloop.control.views import LineageView, ModelView
from streetloop.errors import NotFound
from train.model.find_model import has_registry, open_registry


class ModelService(ServiceState):
    """See `streetloop.control.port.Control`."""

    def models(self) -> list[ModelView]:
        """See `Control.models`."""
        if not has_registry(self._settings):
            return []
        return [model_view(version) for version in open_registry(self._settings).versions()]

    def lineage(self, version: str) -> list[LineageView]:
        """See `Control.lineage`."""
        self._require_version(version)
        return [lineage_view(one) for one in lineage(self._settings, version)]

    def _require_version(self, name: str) -> None:
        if not any(name == str(m.number) or name in m.aliases for m in self.models()):
            raise NotFound(f"there is no version {name[:64]!r}; `streetloop models` lists them")
