"""``streetloop serve``: the detector behind HTTP."""

from typing import Annotated

import typer

from flows.cli.context import settings_of
from flows.cli.output import say
from flows.cli.run import Model

app = typer.Typer()


@app.command()
def serve(
    context: typer.Context,
    model: Model = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="TCP port.")] = 8000,
) -> None:
    """Serve POST /predict and its OpenAPI page until Ctrl-C."""
    from flows.runtime.api_server import serve_api

    serve_api(settings_of(context, model=model), host, port, say=say)
