"""One module a kind of sink; each translates the errors of its library."""
