"""The statistics of drift, one a file: distances of samples, and their sizes without a change."""

from drift.statistics.distance import Distance
from drift.statistics.kolmogorov_smirnov import KolmogorovSmirnov
from drift.statistics.wasserstein import Wasserstein

__all__ = ["Distance", "KolmogorovSmirnov", "Wasserstein"]
