"""One rule a file; each follows `flows.stream.anomalies.rule.Rule`."""
