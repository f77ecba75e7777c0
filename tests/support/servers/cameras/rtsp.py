"""Real RTSP cameras for tests: cuts clips for the server, and runs it."""

from __future__ import annotations

import functools
import os
import select
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self
from urllib.parse import quote

# Debian's Python, not the one that runs the tests: only that one sees Debian's GStreamer bindings.
PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).with_name("rtsp_server.py")
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0

Codec = Literal["h264", "h265"]
FILTER = {"h264": "h264", "h265": "hevc"}
ENCODER = {"h264": ["libx264"], "h265": ["libx265", "-x265-params", "log-level=error:open-gop=0"]}


@functools.cache
def missing() -> str | None:
    """What this machine lacks for a real RTSP server, as a sentence; None if it has all."""
    wanted = "import gi; gi.require_version('GstRtspServer', '1.0')"
    try:
        subprocess.run([PYTHON, "-c", wanted], check=True, capture_output=True)
        subprocess.run(["ffmpeg", "-version"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return "the real RTSP server needs the Debian packages that .ci/run lists"
    return None


def annexb(
    clip: Path,
    out: Path,
    codec: Codec = "h264",
    *,
    reencode: bool = False,
    size: tuple[int, int] | None = None,
    fps: int | None = None,
    seconds: float | None = None,
) -> Path:
    """Cuts a clip into an Annex-B file that the server can loop, and returns its path.

    A copy keeps the clip's keyframes, and a client sees nothing before the next one; a clip that is
    encoded again has one every second. The server refuses a copy of a clip with B-frames.

    Args:
        clip: The clip, already of this codec unless it is encoded again.
        out: Where the Annex-B file goes.
        codec: The codec of the file.
        reencode: Encode again instead of copying. Needed for `size` and `fps`.
        size: Width and height.
        fps: Frames a second; 25 if left out. Tell the mount the same.
        seconds: Cut the clip after so many.
    """
    if (size or fps) and not reencode:
        raise ValueError("size and fps need reencode=True")
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-i", str(clip), "-map", "0:v:0"]
    if seconds is not None:
        command += ["-t", str(seconds)]
    if reencode:
        rate = str(fps or 25)
        command += ["-r", rate, "-c:v", *ENCODER[codec], "-preset", "ultrafast", "-bf", "0"]
        command += ["-g", rate, *(["-s", f"{size[0]}x{size[1]}"] if size else [])]
    else:
        command += ["-c:v", "copy"]
    name = FILTER[codec]
    command += ["-bsf:v", f"{name}_mp4toannexb,{name}_metadata=aud=insert", "-f", name, str(out)]
    subprocess.run(command, check=True)
    return out


@dataclass(frozen=True)
class Mount:
    """What one camera plays: its files in turn, for ever. No `+` or `:` in the paths."""

    files: Sequence[Path]
    codec: Codec = "h264"
    fps: float = 25


class RtspServer:
    """An RTSP server in a process of its own, which can be killed, frozen and started again."""

    def __init__(
        self,
        mounts: Mapping[str, Mount],
        port: int = 0,
        login: tuple[str, str] | None = None,
        certificate: Path | None = None,
    ) -> None:
        """Prepares a server. Port 0 takes a free one, and keeps it over a restart.

        With a certificate, a PEM file that has its key, too, it speaks TLS.
        """
        self.port = port
        self._scheme = "rtsp" if certificate is None else "rtsps"
        self._arguments = []
        for name, mount in mounts.items():
            files = "+".join(str(file) for file in mount.files)
            self._arguments += ["--mount", f"{name}={files}:{mount.codec}:{mount.fps}"]
        if login is not None:
            self._arguments += ["--user", login[0], "--password", login[1]]
        if certificate is not None:
            self._arguments += ["--certificate", str(certificate)]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def url(self, name: str, user: str | None = None, password: str | None = None) -> str:
        """Returns the address of a camera, with a login if one is given."""
        login = "" if user is None else f"{quote(user, '')}:{quote(password or '', '')}@"
        return f"{self._scheme}://{login}127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Starts the server, and returns when it listens.

        Raises:
            RuntimeError: It did not come up; the message ends with what it wrote.
        """
        self.close()
        command = [PYTHON, str(SCRIPT), "--port", str(self.port), *self._arguments]
        with tempfile.TemporaryFile() as errors:
            # The server ends when its standard input is hung up, so it cannot outlive this process.
            self._process = process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
            )
            assert process.stdout is not None
            ready = select.select([process.stdout], [], [], START_TIMEOUT_S)[0]
            word, _, port = (process.stdout.readline() if ready else b"").decode().partition(" ")
            if word != "ready":
                self.close()
                errors.seek(0)
                reason = errors.read().decode(errors="replace").strip()
                raise RuntimeError(f"the RTSP server did not start: {reason or 'timed out'}")
        self.port = int(port)

    def kill(self) -> None:
        """Kills the server at once: connections are cut without a goodbye."""
        self._signal(signal.SIGKILL)
        self.close()

    def pause(self) -> None:
        """Freezes the server: its connections stay open, and nothing answers."""
        process = self._signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        """Lets a frozen server go on."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """Ends the server, whether it runs, is frozen, or is dead already."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        process.send_signal(signal.SIGCONT)  # A frozen process does not see the other signal.
        try:
            process.communicate(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()

    def _signal(self, number: signal.Signals) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError("the RTSP server is not running")
        self._process.send_signal(number)
        return self._process
