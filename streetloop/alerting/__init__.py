"""Who is told of events: sinks as the camera file describes them, and what is muted."""
