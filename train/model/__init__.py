"""The model file: opening, backends, pre- and postprocessing, prediction."""
