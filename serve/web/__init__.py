"""The HTTP side: API, app, access, limits."""
