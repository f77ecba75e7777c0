"""How a new model takes over: evidence, the decision, routes, rehearsal. Free of Ray."""
