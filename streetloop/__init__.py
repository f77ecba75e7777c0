"""What all packages share: types, errors, settings, clock, object storage, ledger, and the city."""
