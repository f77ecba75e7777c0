"""Camera sources, one scheme a module, behind one protocol."""
