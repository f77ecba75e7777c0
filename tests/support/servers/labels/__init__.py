"""Label Studio, and people who answer in it."""
