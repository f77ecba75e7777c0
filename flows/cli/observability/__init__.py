"""Commands about what can be seen and explained."""
