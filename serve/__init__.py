"""Serving: the detector on Ray Serve, rollouts of new models, the API and the app."""
