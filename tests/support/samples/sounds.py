"""Clips with sound, and what is heard in them."""

import subprocess
from pathlib import Path

import av
import numpy as np


def clip_with_sound(folder: Path, codec: str = "aac", suffix: str = "mp4") -> Path:
    """Six seconds of 25 pictures a second with a tone of 440 Hz, made by ffmpeg."""
    out = folder / f"sound.{suffix}"
    command = [
        "ffmpeg",
        "-nostdin",
        "-loglevel",
        "error",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=160x96:rate=25",
    ]
    command += ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=8000", "-t", "6", "-c:v", "libx264"]
    command += ["-g", "25", "-bf", "0", "-c:a", codec, str(out)]
    subprocess.run(command, check=True)
    return out


def sounds_of(path: Path) -> tuple[str | None, float, float, float]:
    """Codec, first and last second of the sound of a file, and the frequency that is heard."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return None, 0.0, 0.0, 0.0
        stream = container.streams.audio[0]
        frames = list(container.decode(stream))
        rate = stream.rate or 1
        wave = np.concatenate([frame.to_ndarray()[0] for frame in frames])
        spectrum = np.abs(np.fft.rfft(wave))
        heard = float(spectrum.argmax() * rate / len(wave))
        times = [float(frame.time or 0) for frame in frames]
        return stream.codec_context.name, times[0], times[-1], heard
