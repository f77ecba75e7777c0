"""``streetloop ask``: questions in plain words."""

from typing import Annotated

import typer
from rich.markup import escape

from flows.cli.context import control_of
from flows.cli.output import Json, borderless, print_json, results

app = typer.Typer()


@app.command()
def ask(
    context: typer.Context,
    question: Annotated[
        str, typer.Argument(metavar="QUESTION", help="Such as: which cameras drifted today?")
    ],
    as_json: Json = False,
) -> None:
    """Answer a question in plain words, with the query that was run."""
    found = control_of(context).ask(question)
    if as_json:
        print_json(found)
        return
    if found.rows:
        table = borderless(*found.columns)
        for row in found.rows:
            table.add_row(*("" if value is None else escape(str(value)) for value in row))
        results().print(table)
    else:
        results().print("nothing was found")
    results().print(found.sql, style="dim", markup=False, soft_wrap=True)
