"""MLflow makes the tables of a database by sixty migrations; a test process pays for them once."""

import contextlib
import sqlite3
from collections.abc import Callable
from types import ModuleType
from typing import Any

_MAKES_TABLES = "_initialize_tables"
_OF_MLFLOW = "of_mlflow"


def make_tables_once(utils: ModuleType) -> None:
    """From the second empty SQLite database on, copy the tables that MLflow made for the first.

    Args:
        utils: ``mlflow.store.db.utils``, as imported.
    """
    original = tables_of_mlflow(utils)
    if getattr(utils, _MAKES_TABLES) is not original:
        return
    template = sqlite3.connect(":memory:", check_same_thread=False)
    is_filled = False

    def initialize(engine: Any) -> None:
        nonlocal is_filled
        path = engine.url.database if engine.url.get_backend_name() == "sqlite" else None
        if path is None or not utils._is_empty_database(engine):
            original(engine)
            return
        if not is_filled:
            original(engine)
        with contextlib.closing(sqlite3.connect(path)) as database:
            source, target = (template, database) if is_filled else (database, template)
            source.backup(target)
        is_filled = True

    setattr(initialize, _OF_MLFLOW, original)
    setattr(utils, _MAKES_TABLES, initialize)


def tables_of_mlflow(utils: ModuleType) -> Callable[[Any], None]:
    """MLflow's own function that makes the tables of a database."""
    found = getattr(utils, _MAKES_TABLES)
    original: Callable[[Any], None] = getattr(found, _OF_MLFLOW, found)
    return original
