"""The ledger: what happened and what is to be done, in a database; the one place that knows it.

SQLite in the home folder by default, PostgreSQL by URL. Each kind of row has a module with the
functions that read and write it; everything else sees plain dataclasses.
"""

from streetloop.ledger.database import Ledger, open_ledger

__all__ = ["Ledger", "open_ledger"]
