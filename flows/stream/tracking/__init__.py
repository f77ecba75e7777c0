"""Follows the objects of one camera: which detections belong to one object."""
