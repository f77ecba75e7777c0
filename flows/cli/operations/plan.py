"""``streetloop plan``: how large a cluster a number of cameras needs."""

from typing import Annotated

import typer

from flows.cli.output import Json, borderless, print_json, results

app = typer.Typer()


@app.command()
def plan(
    cameras: Annotated[int, typer.Option(help="Number of cameras.")],
    fps: Annotated[float, typer.Option(help="Frames per second and camera that are analysed.")] = 10.0,
    gpu: Annotated[
        str, typer.Option(metavar="NAME", help="Kind of GPU, such as l4 or h100; none for CPUs.")
    ] = "none",
    as_json: Json = False,
) -> None:
    """Estimate nodes, cores, GPUs, memory, network and storage, with the source of each cost."""
    from flows.capacity.costs import read_costs
    from flows.capacity.plan import make_plan

    found = make_plan(cameras, fps, gpu, read_costs())
    if as_json:
        print_json(found)
        return
    table = borderless("what", numbers=("value",))
    for name in ("nodes", "cores", "gpus", "memory_gb", "network_mbit", "storage_gb_day"):
        table.add_row(name, f"{getattr(found, name):,}")
    results().print(table)
    results().print(f"limited by {found.limited_by}\n")
    costs = borderless("drives", "cost", "source", numbers=("value", "unit"))
    for one in found.drivers:
        costs.add_row(one.drives, one.cost, one.source, f"{one.value:,g}", one.unit)
    results().print(costs)
