"""The floor: what every room shares, and nothing that belongs to one of them."""
