"""Pictures, boxes, labels, models and homes to test on."""
