"""The ``--policy`` option of commands that start rollouts."""

from pathlib import Path
from typing import Annotated

import typer

PolicyFile = Annotated[
    Path | None,
    typer.Option("--policy", metavar="FILE", help="YAML file with changes to the default rollout policy."),
]
