"""The HTTP API. Nothing here knows Ray: whoever mounts it says how to detect and what to ask."""
