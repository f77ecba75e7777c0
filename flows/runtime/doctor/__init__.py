"""``streetloop doctor``: what each node of a Ray has, and what it reaches."""
