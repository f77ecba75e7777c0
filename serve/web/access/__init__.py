"""Who may come in, from where, and what each role may do."""
