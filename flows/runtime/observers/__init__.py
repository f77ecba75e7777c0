"""What reads the reports of running streams."""
