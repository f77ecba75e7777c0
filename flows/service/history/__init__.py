"""Charts over time, from ledger, drift log and registry."""
