"""SQLite files as the URLs that SQLAlchemy and MLflow take."""

from pathlib import Path
from urllib.parse import quote, unquote

_PREFIX = "sqlite:///"
_SPECIAL = "%?#"


def sqlite_url(path: Path) -> str:
    """The URL of a file, whatever characters its folders have.

    >>> sqlite_url(Path("/home/what?/100%/ledger.db"))
    'sqlite:////home/what%3F/100%25/ledger.db'
    """
    quoted = "".join(quote(c) if c in _SPECIAL else c for c in str(path.absolute()))
    return _PREFIX + quoted


def sqlite_path(url: str) -> Path | None:
    """The file of such a URL; None for another database.

    >>> sqlite_path("sqlite:////home/what%3F/ledger.db")
    PosixPath('/home/what?/ledger.db')
    """
    return Path(unquote(url.removeprefix(_PREFIX))) if url.startswith(_PREFIX) else None
