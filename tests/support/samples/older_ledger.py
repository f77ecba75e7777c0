"""Ledgers as older versions left them."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine

import streetloop.ledger.migrations

_MIGRATIONS = Path(streetloop.ledger.migrations.__file__).parent


def older_ledger(url: str, revision: str) -> Engine:
    """Make an empty ledger of an older version.

    Args:
        url: Of the database.
        revision: Name of the newest migration that it has, such as ``v4``.
    """
    engine = create_engine(url)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return engine
