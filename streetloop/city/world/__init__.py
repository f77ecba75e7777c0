"""The simulated world: places, traffic, people, weather, events."""
