"""What an earlier demo left: its story is kept, the rest makes room for the next."""

import shutil
from datetime import datetime
from pathlib import Path

from flows.service.control_service import REPORT_FILE
from streetloop.errors import ConfigError
from streetloop.host.home import lock_home

_STORIES = "stories"
_MOST = 20


def make_room(home: Path, loop: Path) -> str | None:
    """Remove the cameras, labels and models of an earlier demo, and keep its story's page.

    Args:
        home: The folder of all state. The newest twenty stories stay in its folder ``stories``.
        loop: The folder of the demo, which is removed.

    Returns:
        What was removed and what is kept, to be told; None if there was nothing.

    Raises:
        ConfigError: Another demo runs there, or it cannot be removed.
    """
    if not loop.exists():
        return None
    try:
        with lock_home(loop):
            kept = _keep_story(home / _STORIES, loop / REPORT_FILE)
            shutil.rmtree(loop)
    except OSError as error:
        raise ConfigError(f"the demo before cannot be removed: {error}; remove {loop} yourself") from error
    told = "the labels, models and detections of the demo before are thrown away"
    return told if kept is None else f"{told}; its story stays in {kept.absolute()}"


def _keep_story(stories: Path, page: Path) -> Path | None:
    if not page.is_file():
        return None
    stories.mkdir(exist_ok=True)
    written = datetime.fromtimestamp(page.stat().st_mtime)  # people look for it by their own clock
    kept = page.replace(stories / f"{written:%Y-%m-%d_%H-%M-%S}.html")
    for old in sorted(stories.glob("*.html"))[:-_MOST]:
        old.unlink()
    return kept
