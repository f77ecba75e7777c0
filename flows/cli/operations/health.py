"""``streetloop status`` and ``doctor``: how a system is, and what its machines lack."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.context import control_of, settings_of
from flows.cli.output import Json, borderless, print_json, results, say
from flows.cli.run import Address
from streetloop.errors import ConfigError

if TYPE_CHECKING:
    from flows.runtime.doctor.node_checks import NodeCheck
    from streetloop.control.views import HealthView

app = typer.Typer()

ClusterFile = Annotated[
    Path | None,
    typer.Option("--cluster", metavar="CLUSTER.YAML", help="Check the hosts that `ray up` would use."),
]


@app.command()
def status(context: typer.Context, as_json: Json = False) -> None:
    """Say whether everything runs, and what does not."""
    from flows.service.running_system import ask_running

    settings = settings_of(context)
    health = ask_running(settings) or control_of(context).health()
    if as_json:
        print_json(health)
    else:
        _print_health(health)


def _print_health(health: "HealthView") -> None:
    model = "" if health.model is None else f", model {health.model}"
    results().print(f"{health.live} of {health.cameras} cameras live{model}", soft_wrap=True, markup=False)
    for problem in health.problems:
        results().print(problem, soft_wrap=True, markup=False)


@app.command()
def doctor(
    context: typer.Context, address: Address = None, cluster: ClusterFile = None, as_json: Json = False
) -> None:
    """Check each node: versions, GPU, what it reaches, clock, disk, shared memory."""
    checks = _of_nodes(context, address) if cluster is None else _of_hosts(cluster, address)
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        table = borderless("node", "check", "", "found", "cure")
        for check in checks:
            table.add_row(check.node, check.check, "ok" if check.ok else "FAILS", check.text, check.cure)
        results().print(table)
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def _of_nodes(context: typer.Context, address: str | None) -> "list[NodeCheck]":
    from flows.runtime.cluster.ray_address import find_ray
    from flows.runtime.doctor.doctor import examine
    from streetloop.host.output import foreign_output_to

    settings = settings_of(context)
    joined = find_ray(address, os.environ, say)
    with foreign_output_to(os.devnull):
        return examine(settings, joined)


def _of_hosts(cluster: Path, address: str | None) -> "list[NodeCheck]":
    from flows.runtime.doctor.host_checks import check_hosts, read_ssh_cluster

    if address is not None:
        raise ConfigError("--cluster looks at hosts before Ray runs, --address at a Ray that runs; give one")
    return check_hosts(read_ssh_cluster(cluster))
