"""The HTTP API. Nothing here knows Ray: the detector and the control service are arguments."""
