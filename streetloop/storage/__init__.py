"""Object storage: the protocol, a folder, MinIO and S3."""
