"""The flows: streams, learning, the demo, and what wires and starts them."""
