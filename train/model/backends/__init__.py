"""Backends: the runtimes that compute a model's network, each behind `backend.Backend`."""
