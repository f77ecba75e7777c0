"""Two-sample statistics, one a file, all behind `distance.Distance`."""

from drift.statistics.distance import Distance
from drift.statistics.kolmogorov_smirnov import KolmogorovSmirnov
from drift.statistics.page_hinkley import PageHinkley
from drift.statistics.stability_index import StabilityIndex
from drift.statistics.wasserstein import Wasserstein

__all__ = ["DISTANCES", "Distance", "KolmogorovSmirnov", "PageHinkley", "StabilityIndex", "Wasserstein"]

DISTANCES: tuple[Distance, ...] = (KolmogorovSmirnov(), Wasserstein(), StabilityIndex(), PageHinkley())
"""Every distance; one contract suite holds them all."""
