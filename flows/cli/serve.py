"""``streetloop serve``: the detector behind HTTP."""

from typing import Annotated

import typer

from flows.cli.context import settings_of
from flows.cli.output import end_at_once, say
from flows.cli.run import Model

app = typer.Typer()

_RAY_OUTPUT = "ray-serve.log"
"""File in the home: what Ray would print; a run beside it has its own."""


@app.command()
def serve(
    context: typer.Context,
    model: Model = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="TCP port.")] = 8000,
) -> None:
    """Serve POST /predict and its OpenAPI page until Ctrl-C."""
    from flows.cli.run_log import open_log, resolve_format
    from flows.runtime.api_server import serve_api
    from streetloop.host.home import require_home
    from streetloop.host.output import foreign_output_to
    from streetloop.host.tracing import require_exporter

    settings = settings_of(context, model=model)
    log_format = resolve_format(settings.log_format)
    require_exporter(settings.otlp_url)
    require_home(settings.home)
    with open_log(log_format) as log:
        with foreign_output_to(settings.home / _RAY_OUTPUT):
            died = serve_api(settings, host, port, say=say if log_format == "text" else log.say)
        if died is None:
            return
        log.complain(died)
    end_at_once(1)
