"""Camera sources behind one protocol, one module per scheme."""
