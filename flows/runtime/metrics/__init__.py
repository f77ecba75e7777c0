"""What Prometheus is told of a running session."""
