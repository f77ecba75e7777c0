"""State that is kept on one machine, which processes on other nodes cannot reach."""

from streetloop.settings import Settings
from streetloop.sqlite_url import sqlite_path

TO_A_SERVER = "to a server that all nodes reach"
TO_A_BUCKET = "to s3://bucket"
_S3 = "s3://"


def local_state(settings: Settings) -> dict[str, str]:
    """What is kept on this machine: by the variable that moves it, where it is to be moved.

    >>> list(local_state(Settings(ledger_url="postgresql+psycopg://db/loop", store_url="s3://loop")))
    ['STREETLOOP_TRACKING_URI']
    """
    found = {}
    if sqlite_path(settings.ledger) is not None:
        found["STREETLOOP_LEDGER_URL"] = TO_A_SERVER
    if not (settings.store_url or "").startswith(_S3):
        found["STREETLOOP_STORE_URL"] = TO_A_BUCKET
    if sqlite_path(settings.tracking) is not None:
        found["STREETLOOP_TRACKING_URI"] = TO_A_SERVER
    return found
