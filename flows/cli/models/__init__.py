"""Commands about models and what they learn from."""
