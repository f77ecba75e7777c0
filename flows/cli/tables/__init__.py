"""Tables of commands whose answers have many."""
