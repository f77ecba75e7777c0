"""Evaluation: matching, mAP, metrics, and the judge."""
