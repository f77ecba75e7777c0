"""A larger model that labels what it has proved to know, and leaves the rest to people."""
