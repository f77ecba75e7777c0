"""Models: datasets, the model file, fine-tuning, evaluation, registry."""
