"""Grafana dashboards and Prometheus alerts, as code."""
