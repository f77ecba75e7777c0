"""Forms of the tabs that start something."""
