"""What `POST /predict` adds to the bare model, one request after another.

    python -m benchmarks.predict [--requests 100]

Bare: the same picture, decoded already, through the same predictor in this process. The two take
turns, so that the drift of a shared machine weighs on both.
"""

import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.material import DATA, WEIGHTS
from benchmarks.report import finish, new_parser, parse_options
from flows.runtime.api_server import serve_api
from serve.web.uploads import decode_upload
from streetloop.settings import Settings
from train.model.backends.open_backend import open_backend
from train.model.model_file import open_model
from train.model.predictor import Predictor

_PORT = 18_123


def timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def measure(settings: Settings, photo: bytes, requests: int) -> tuple[list[float], list[float]]:
    model = open_model(settings.model, settings.models)
    predictor = Predictor(model, open_backend(model, "auto", settings.threads))
    image = decode_upload(photo)
    bare, served = [], []
    with httpx.Client(base_url=f"http://127.0.0.1:{_PORT}", timeout=60) as client:

        def post() -> None:
            answer = client.post("/predict", content=photo, headers={"content-type": "image/jpeg"})
            answer.raise_for_status()

        for number in range(requests + 10):
            first, second = (timed(lambda: predictor.predict(image, settings.confidence)), timed(post))
            if number >= 10:  # the first ones warm both up
                bare.append(first)
                served.append(second)
    return bare, served


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--requests", type=int, default=100)
    options = parse_options(parser)
    settings = Settings(home=Path(tempfile.mkdtemp(prefix="streetloop-bench-")), model=str(WEIGHTS))
    photo = (DATA / "datasets/coco128_val/images/val2017/000000000139.jpg").read_bytes()
    results: list[tuple[list[float], list[float]]] = []

    def until(_: threading.Event) -> None:
        results.append(measure(settings, photo, options.requests))

    serve_api(settings, "127.0.0.1", _PORT, say=lambda _: None, until=until)
    bare, served = results[0]
    table = Table(title=f"one picture at {settings.image_size}, {options.requests} requests, ms")
    for name in ("", "p50", "p95"):
        table.add_column(name, justify="right")
    for name, values in (("bare", bare), ("POST /predict", served)):
        table.add_row(name, *(f"{np.percentile(values, p):.1f}" for p in (50, 95)))
    added = np.percentile(served, [50, 95]) - np.percentile(bare, [50, 95])
    table.add_row("added", *(f"{value:.1f}" for value in added))
    Console().print(table)
    figures = {
        name: {f"p{p}_ms": round(float(np.percentile(values, p)), 2) for p in (50, 95)}
        for name, values in (("bare", bare), ("served", served))
    }
    finish(options, figures)


if __name__ == "__main__":
    main()
