"""Champions: of the registry, of a city, or the model that the settings name."""

from collections.abc import Sequence

from serve.rollout.route_table import city_application
from streetloop.cameras.camera_file import Camera
from streetloop.settings import BASELINE, Settings
from train.model.find_model import find_model, has_registry, open_registry
from train.model.model_file import ModelFile
from train.model_registry import CHALLENGER, CHAMPION


class Champions:
    """`serve.rollout.control.ports.Models` of the registry.

    Args:
        settings: The settings of the run; they name the registry.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def find(self, name: str) -> ModelFile:
        """See `Models.find`."""
        return find_model(name, self._settings)

    def set_champion(self, name: str, application: str) -> None:
        """See `Models.set_champion`: the alias of that name moves to the version."""
        registry = open_registry(self._settings)
        version = registry.find(name)
        registry.set_alias(application, version.number)
        if CHALLENGER in version.aliases:
            registry.drop_alias(CHALLENGER)

    def clear_champion(self, application: str) -> None:
        """See `Models.clear_champion`."""
        registry = open_registry(self._settings)
        if any(application in version.aliases for version in registry.versions()):
            registry.drop_alias(application)


def serving_model(settings: Settings) -> ModelFile:
    """The model that streams start with: the registry's champion, unless the settings name another.

    Raises:
        ModelError: It cannot be used.
        RegistryError: The registry does not answer.
    """
    if settings.model == BASELINE and has_registry(settings):
        versions = open_registry(settings).versions()
        if any(CHAMPION in version.aliases for version in versions):
            return find_model(CHAMPION, settings)
    return find_model(settings.model, settings)


def city_champions(settings: Settings, cameras: Sequence[Camera]) -> dict[str, str]:
    """Application of each city's own champion, by city; the alias of the version has the same name.

    Args:
        settings: Name the registry.
        cameras: Only their cities are looked up.
    """
    cities = {camera.city for camera in cameras if camera.city is not None}
    if not cities or not has_registry(settings):
        return {}
    aliases = {alias for v in open_registry(settings).versions() for alias in v.aliases}
    return {city: city_application(city) for city in sorted(cities) if city_application(city) in aliases}
