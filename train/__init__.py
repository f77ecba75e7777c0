"""The model file: what it is, how a frame goes in and how boxes come out."""
