"""Options that commands about models share."""

from pathlib import Path
from typing import Annotated, Any

import typer

VersionName = Annotated[str, typer.Argument(metavar="VERSION", help="Number or alias of a version.")]

DatasetName = Annotated[
    str, typer.Argument(metavar="DATASET", help="Digest, YOLO data.yaml or its folder, or COCO JSON.")
]

Classes = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES", help="Score only these classes of the dataset; car,heavy=bus+truck joins some."
    ),
]

Mapping = Annotated[
    list[str] | None, typer.Option("--map", metavar="MODEL=DATASET", help="Rename a class of the model.")
]

Split = Annotated[str | None, typer.Option(help="train, val or test; by default val and test, else all.")]

Images = Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of the images of a COCO JSON.")]

ImageSize = Annotated[
    int | None, typer.Option(min=32, max=4096, help="Longest side of the model's input, in pixels.")
]


def parse_pairs(entries: list[str] | None) -> dict[str, str]:
    """The pairs of ``--map``.

    >>> parse_pairs(["bicycle=bike"])
    {'bicycle': 'bike'}

    Raises:
        ConfigError: An entry is no pair.
    """
    from streetloop.errors import ConfigError

    pairs = {}
    for entry in entries or []:
        one, sign, other = entry.partition("=")
        if not (one and sign and other):
            raise ConfigError(f"--map {entry!r}: write ONE=OTHER, such as bicycle=bike")
        pairs[one] = other
    return pairs


def parse_recipe(entries: list[str] | None) -> dict[str, Any]:
    """The training options of ``--set``.

    >>> parse_recipe(["lr0=1e-3", "cos_lr=false"])
    {'lr0': 0.001, 'cos_lr': False}

    Raises:
        ConfigError: An entry is no pair, or its value cannot be read.
    """
    import yaml

    from streetloop.errors import ConfigError

    recipe = {}
    for entry in entries or []:
        name, sign, value = entry.partition("=")
        if not (name and sign and value):
            raise ConfigError(f"--set {entry!r}: write OPTION=VALUE, such as lr0=0.001")
        try:
            read = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ConfigError(f"--set {name}: {value[:60]!r} cannot be read") from None
        recipe[name] = _number(read) if isinstance(read, str) else read
    return recipe


def _number(text: str) -> float | str:
    """A number that YAML takes for text, such as ``1e-3``; other text as it is."""
    try:
        return float(text)
    except ValueError:
        return text


def parse_classes(text: str | None) -> dict[str, list[str]] | None:
    """The value of ``--classes``; None where it is not given.

    Raises:
        ConfigError: It is malformed.
    """
    from streetloop.counted_classes import parse_class_flag

    return None if text is None else parse_class_flag(text)
