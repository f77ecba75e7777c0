"""Scripted parts of the stream flow."""
