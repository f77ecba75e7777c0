"""The detector as an application that Serve starts from a configuration, such as KubeRay's."""

from collections.abc import Mapping
from typing import Any

import ray.serve

from serve.detector.deployment import detector_app
from serve.rollout.route_table import CHAMPION
from serve.web.single_replica import http_detector
from streetloop.settings import read_settings
from train.model.model_file import open_model


def build(arguments: Mapping[str, Any]) -> "ray.serve.Application":
    """The detector and its HTTP API, as ``import_path: serve.web.detector_service:build``.

    Args:
        arguments: Settings that differ from the environment's, by name. The model must be the same
            file on every node: the shipped one, or one in the image.

    Raises:
        ConfigError: A setting is wrong.
        ModelError: The model cannot be used.
    """
    settings = read_settings(**arguments)
    model = open_model(settings.model, settings.models)
    return detector_app(model, settings, CHAMPION, http_detector(settings, model.names))
