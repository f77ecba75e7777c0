"""Questions in plain words, answered by a query over a copy of ledger and log."""
