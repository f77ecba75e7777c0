"""The processes of a session: workers, supervisor, observers and controllers."""
