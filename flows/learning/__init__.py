"""The learning flow: from a trigger to a judged and registered version."""
