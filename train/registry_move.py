"""Moves a registry's database to another folder: MLflow keeps absolute URIs of artifacts."""

import contextlib
import sqlite3
from pathlib import Path

_URIS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("logged_models", "artifact_location"),
)
"""Tables and columns of MLflow that name where files are."""


def move_artifacts(database: Path, before: str, after: str) -> None:
    """Make a registry find its artifacts in another folder.

    Args:
        database: MLflow's SQLite file, which nobody has open.
        before: URI of the folder of artifacts so far.
        after: URI of the folder that they are in now.

    Raises:
        sqlite3.Error: It is no database, or cannot be written.
    """
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        for table, column in _URIS:
            columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            if column in columns:
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                    f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                    (after, len(before) + 1, before, len(before) + 1, f"{before}/"),
                )
