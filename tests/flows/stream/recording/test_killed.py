import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flows.stream.recording.recording import SpooledRecording
from streetloop.clock import SystemClock
from streetloop.ledger import open_ledger
from streetloop.ledger.segments import find_segments
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from tests.support.samples.odd_clips import steady, write_stamped
from tests.support.stream_flow.recorded import times_in


@pytest.mark.slow
def test_a_killed_process_loses_at_most_what_came_after_the_last_fragment(tmp_path: Path) -> None:
    clip, home = write_stamped(tmp_path / "clip.mp4", steady(250, 25), fps=25), tmp_path / "home"
    program = [sys.executable, "-m", "tests.support.programs.dying_recorder", f"file://{clip}?loop=1"]
    process = subprocess.Popen(
        program, env={**os.environ, "STREETLOOP_HOME": str(home)}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    reached = 0.0
    while reached < 4.4:
        reached = float(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    reached = max([reached, *(float(line) for line in process.stdout.read().split())])

    settings = Settings(home=home)
    recording = SpooledRecording(settings, open_store(settings), "next", SystemClock())
    recording.start()
    recording.close()
    ledger = open_ledger(settings.ledger)
    (segment,) = find_segments(ledger, "a")
    ledger.close()
    kept = tmp_path / "kept.mp4"
    kept.write_bytes(open_store(settings).get(segment.key))
    times = times_in(kept)
    # Fragments of a second, each cut where the next one begins.
    assert times[-1] >= reached - 2.1
    assert (segment.ended_at - segment.started_at).total_seconds() == pytest.approx(
        times[-1] + 0.04, abs=0.01
    )
    assert (segment.run, segment.pts_offset) == ("run", pytest.approx(0.0, abs=1e-6))
    assert list((home / "spool").iterdir()) == []
