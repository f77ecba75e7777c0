"""Drift: is the world still the one the model was trained on?"""
