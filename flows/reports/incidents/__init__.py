"""The incident report: what happened, why, what was done, what is to be done."""
