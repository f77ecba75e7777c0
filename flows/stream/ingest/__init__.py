"""From a source to a mailbox: reading, gating, and the account of every frame."""
