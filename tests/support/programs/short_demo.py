"""Plays the demo's loop in a short form, in a process of its own, and prints the result as JSON.

python -m tests.support.programs.short_demo HOME PORT

The champion is one that is soon better, night falls at once, and a rollout asks for little. The
app listens on PORT, and goes on after the result until Ctrl-C.
"""

import contextlib
import json
import sys
from pathlib import Path

import flows.demo.play
import flows.demo.progress
from flows.demo import scenario
from flows.demo.play import Demo
from flows.demo.result import DemoResult
from flows.runtime.session import run_streams
from serve.rollout.policy import Policy
from streetloop.settings import read_settings
from tests.support.learning import SOON_BETTER, SOON_PROMOTED, write_weak_model

_CHANGES = {
    "image_size": 320,
    "learn_drift_labels": 60,
    "label_every_s": 1.0,
    "triage_period_s": 0.2,
    "learn_recipe": SOON_BETTER,
}


def main(home: Path, port: int) -> None:
    """Print one line of JSON, as ``streetloop demo --json`` has it."""
    scenario.NIGHT_AT_S, scenario.NIGHT_FALLS_S = 15, 5
    scenario.CITY_FPS, scenario.FPS = 6, 2
    scenario.POLICY = Policy.model_validate(SOON_PROMOTED)
    flows.demo.progress._AFTERWARDS_S = 5.0
    flows.demo.play._FRAMES_PER_CAMERA = 5
    home.mkdir()
    changes = {**_CHANGES, "model": str(write_weak_model(home / "weak.pt")), "app_port": port}
    stdout = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        demo = Demo(run_streams, read_settings(home=home), print, lambda _: None, changes)

        def finished(result: DemoResult) -> None:
            print(json.dumps(result.as_json(demo.report)), file=stdout, flush=True)

        demo.play(app=True, finished=finished)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
