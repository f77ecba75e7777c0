"""How large a cluster a number of cameras needs."""
