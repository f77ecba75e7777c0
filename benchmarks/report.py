"""The result of a benchmark: printed as JSON, and kept with machine, commit and date."""

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
_CPU_INFO = Path("/proc/cpuinfo")


def new_parser(doc: str | None) -> argparse.ArgumentParser:
    """A parser that knows ``--json``.

    Args:
        doc: Docstring of the benchmark; its first line becomes the description.
    """
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object and write it to benchmarks/results"
    )
    return parser


def parse_options(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Parse the command line; with ``--json`` all that is printed from now on goes to stderr."""
    options = parser.parse_args()
    if options.json:
        sys.stdout = sys.stderr
    return options


def finish(options: argparse.Namespace, figures: Mapping[str, Any], part: str = "") -> None:
    """With ``--json`` print the result and write it to ``benchmarks/results/NAME.json``.

    Args:
        options: As `parse_options` returned them.
        figures: What was measured, plain values by name.
        part: Names one of several measurements of a benchmark; the file is ``NAME-PART.json``.
    """
    if not options.json:
        return
    name = Path(sys.argv[0]).stem
    file = RESULTS / f"{name}-{part}.json" if part else RESULTS / f"{name}.json"
    text = json.dumps(_described(name, figures), indent=2) + "\n"
    RESULTS.mkdir(exist_ok=True)
    file.write_text(text)
    (sys.__stdout__ or sys.stdout).write(text)


def _described(name: str, figures: Mapping[str, Any]) -> dict[str, Any]:
    # Of a path of this machine, its name says enough.
    arguments = [Path(a).name if Path(a).is_absolute() else a for a in sys.argv[1:] if a != "--json"]
    return {
        "benchmark": name,
        "command": shlex.join(["python", "-m", f"benchmarks.{name}", *arguments]),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "commit": _commit(),
        "machine": {"cpu": _cpu(), "cores": len(os.sched_getaffinity(0))},
        "figures": dict(figures),
    }


def _commit() -> str:
    """The commit that is checked out, with ``-dirty`` if code differs from it."""
    commit = _git("rev-parse", "HEAD") or "unknown"
    apart = (":(top,exclude)docs", ":(top,exclude)benchmarks/results")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":/", *apart)
    return f"{commit}-dirty" if changed else commit


def _git(*arguments: str) -> str:
    """What git prints, in the folder of the benchmarks; nothing where there is no repository."""
    command = ["git", *arguments]
    found = subprocess.run(command, cwd=RESULTS.parent, capture_output=True, text=True, check=False)
    return found.stdout.strip()


def _cpu() -> str:
    """The processor's name, as the kernel has it."""
    lines = _CPU_INFO.read_text().splitlines() if _CPU_INFO.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
