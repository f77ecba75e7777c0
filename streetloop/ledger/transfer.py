"""Copies a ledger into another database, such as a home's SQLite file into PostgreSQL."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, func, insert, select

from streetloop.errors import LedgerError
from streetloop.ledger.database import Ledger
from streetloop.ledger.schema.tables import leases, metadata

_ROWS = 1000  # in memory at once
_TABLES = [table for table in metadata.sorted_tables if table is not leases]  # who runs is no content
_DIGESTS = 1 << 256


def copy_ledger(source: Ledger, target: Ledger) -> dict[str, int]:
    """Copy every row, and compare what arrived with what was sent; all of it happens, or nothing.

    Args:
        source: The ledger to read, as it is at one moment.
        target: A ledger without rows.

    Returns:
        Number of rows by table.

    Raises:
        LedgerError: The target has rows, a database refused, or the copy differs.
    """
    with source.snapshot() as reader, target.transaction() as writer:
        _require_empty(writer)
        for table in _TABLES:
            for rows in _parts(reader, table):
                writer.execute(insert(table), rows)
            _continue_numbers(writer, table)
        sent, arrived = _contents(reader), _contents(writer)
        differing = [name for name, content in sent.items() if arrived[name] != content]
        if differing:
            raise LedgerError(f"the copy differs in {', '.join(differing)}; nothing was copied")
    return {name: count for name, (count, _) in sent.items()}


def _require_empty(connection: Connection) -> None:
    counts = {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in _TABLES
    }
    filled = [f"{name}: {count}" for name, count in counts.items() if count]
    if filled:
        raise LedgerError(f"the ledger to copy to has rows already ({', '.join(filled)}): name an empty one")


def _parts(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    for part in connection.execution_options(yield_per=_ROWS).execute(select(table)).mappings().partitions():
        yield [dict(row) for row in part]


def _continue_numbers(connection: Connection, table: Table) -> None:
    """Let new rows have numbers after those that were copied; SQLite does so by itself."""
    key = table.autoincrement_column
    if connection.dialect.name != "postgresql" or key is None:
        return
    newest = connection.execute(select(func.max(key))).scalar()
    if newest is not None:
        connection.execute(select(func.setval(func.pg_get_serial_sequence(table.name, key.name), newest)))


def _contents(connection: Connection) -> Mapping[str, tuple[int, int]]:
    """Number of rows of each table, and a digest that does not depend on their order."""
    found = {}
    for table in _TABLES:
        count, digest = 0, 0
        for rows in _parts(connection, table):
            count += len(rows)
            digest = (digest + sum(map(_digest, rows))) % _DIGESTS
        found[table.name] = (count, digest)
    return found


def _digest(row: Mapping[str, Any]) -> int:
    plain = [value.tobytes() if isinstance(value, np.ndarray) else value for value in row.values()]
    return int.from_bytes(hashlib.sha256(repr(plain).encode()).digest())
