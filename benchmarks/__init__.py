"""Each figure of docs/benchmarks.md, by one command: ``python -m benchmarks.NAME``.

The modules lie in folders by what they measure. Their names are unique, and need no folder.
"""

from pathlib import Path

__path__ += sorted(str(folder) for folder in Path(__file__).parent.iterdir() if folder.is_dir())
