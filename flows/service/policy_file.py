"""Rollout policies from files."""

from pathlib import Path

import yaml
from pydantic import ValidationError

from serve.rollout.policy import Policy
from streetloop.errors import ConfigError

_MAX_BYTES = 64 * 2**10


def read_policy(file: Path | None) -> Policy:
    """The default policy with the changes of a file.

    Args:
        file: A YAML mapping of fields of `Policy`, at most 64 KB; None changes nothing.

    Raises:
        ConfigError: The file cannot be read, or a field or its value is wrong.
    """
    if file is None:
        return Policy()
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{file}: larger than {_MAX_BYTES // 1024} KB")
        plain = yaml.safe_load(file.read_text(encoding="utf-8"))
        return Policy(**({} if plain is None else plain))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{file}: {name}: {first['msg']}") from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ConfigError(f"{file}: is no policy: write a YAML mapping") from error
