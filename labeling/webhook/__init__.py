"""Label Studio's webhook: registration, listener, verification."""
