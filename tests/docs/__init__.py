"""Tests of the documentation: what it says exists, and what it shows runs."""
