"""How a camera of the simulated city draws its pictures."""
