"""The control port of a running application, and the views that it hands out."""
