"""Says before the installation what this machine lacks, and which package has it."""

import ctypes.util
import sys

# What opencv-python loads at import; wheels do not carry it.
LIBRARIES = {"GL": "libgl1", "glib-2.0": "libglib2.0-0"}


def main() -> int:
    """Exit code 1 and one line for each thing that is missing."""
    missing = []
    if sys.version_info < (3, 11):  # noqa: UP036 - runs before anything has been installed
        missing.append(f"Python 3.11 or newer (this is {sys.version.split()[0]})")
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        missing.append("Python's venv module: apt-get install python3-venv")
    missing += [
        f"the library {name}: apt-get install {package}"
        for name, package in LIBRARIES.items()
        if ctypes.util.find_library(name) is None
    ]
    for line in missing:
        sys.stderr.write(f"streetloop needs {line}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
