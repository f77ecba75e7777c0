"""What an earlier demo left: its story is kept, the rest makes room for the next."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

from flows.service.control_service import REPORT_FILE
from streetloop.errors import ConfigError, StreetloopError
from streetloop.host.home import lock_home
from streetloop.ledger import open_ledger
from streetloop.ledger.reviews import ReviewState, count_reviews
from streetloop.sqlite_url import sqlite_url

_STORIES = "stories"
_MOST = 20
_MB = 1e6


def make_room(
    home: Path, loop: Path, say: Callable[[str], None], wait: Callable[[], None] = lambda: None
) -> None:
    """Remove the cameras, labels and models of an earlier demo, and keep its story's page.

    What goes is told before it goes.

    Args:
        home: The folder of all state. The newest twenty stories stay in its folder ``stories``.
        loop: The folder of the demo, which is removed.
        say: Called with each sentence for people.
        wait: Called between what is told and the removal; whatever it raises keeps everything.

    Raises:
        ConfigError: Another demo runs there, or it cannot be removed.
    """
    if not loop.exists():
        return
    try:
        with lock_home(loop):
            story = loop / REPORT_FILE
            stays = "its story stays" if story.is_file() else "it has no story to keep"
            say(f"this throws away what the demo before left: {_contents(loop)}; {stays}")
            wait()
            kept = _keep_story(home / _STORIES, story)
            shutil.rmtree(loop)
    except OSError as error:
        raise ConfigError(f"the demo before cannot be removed: {error}; remove {loop} yourself") from error
    if kept is not None:
        say(f"its story is in {kept.absolute()}")


def _contents(loop: Path) -> str:
    """What is in a demo's folder, in numbers."""
    found = []
    try:
        if (ledger := loop / "ledger.db").is_file():
            found.append(_counted(_labels(ledger), "label"))
        if (registry := loop / "mlflow" / "mlflow.db").is_file():
            found.append(_counted(_versions(registry), "model version"))
    except (StreetloopError, sqlite3.Error) as error:
        found.append(f"labels and models that cannot be counted ({error})")
    size = sum(path.stat().st_size for path in loop.rglob("*") if path.is_file())
    return ", ".join([*found, f"{size / _MB:.0f} MB in all"])


def _labels(file: Path) -> int:
    with closing(open_ledger(sqlite_url(file))) as ledger:
        counts = count_reviews(ledger)
    return counts[ReviewState.LABELED] + counts[ReviewState.IN_DATASET]


def _versions(file: Path) -> int:
    """How many a registry has, by its file.

    MLflow keeps its connections as long as the process lives, and would write the models of the
    new demo to the file that is removed.
    """
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM model_versions").fetchone()[0])


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _keep_story(stories: Path, page: Path) -> Path | None:
    if not page.is_file():
        return None
    stories.mkdir(exist_ok=True)
    written = datetime.fromtimestamp(page.stat().st_mtime)  # people look for it by their own clock
    kept = page.replace(stories / f"{written:%Y-%m-%d_%H-%M-%S}.html")
    for old in sorted(stories.glob("*.html"))[:-_MOST]:
        old.unlink()
    return kept
