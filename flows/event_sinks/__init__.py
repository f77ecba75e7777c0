"""Event sinks: whoever is told of events, and how the outbox reaches them."""
