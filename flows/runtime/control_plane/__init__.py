"""The session in an actor that outlives the command which starts it."""
