"""From sources to mailboxes: reading, gating, and the account of every frame."""
