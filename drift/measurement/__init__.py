"""What is measured: of images, of detections and tracks, and of the stream itself."""
