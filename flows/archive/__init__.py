"""The archive of recorded video: what stays, and what comes out again."""
