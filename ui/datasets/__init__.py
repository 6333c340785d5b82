"""Datasets: what one would hold, and the versions that were built."""
