"""How a new model takes over: policy, decision, controller, routes, simulation. Imports no Ray."""
