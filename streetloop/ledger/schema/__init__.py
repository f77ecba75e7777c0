"""What the database of the ledger is made of."""
