"""Parquet archives of reports, read on one machine or many."""
