"""Which cameras there are: their file, their addresses, and the changes of the ledger."""
