"""Recording: packets and pictures of cameras as segments, by way of a spool to the store."""
