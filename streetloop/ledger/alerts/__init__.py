"""What follows from an event: its changes, who is told of them, and the incident of several."""
