"""A Ray that somebody else started: found, asked, joined, watched and left."""
