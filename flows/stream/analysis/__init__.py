"""From detections to tracks, counts and the status of a camera."""
