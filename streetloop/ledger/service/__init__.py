"""Who runs the application of the ledger, and how well it answers."""
