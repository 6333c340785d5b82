"""Trends: a chart for each question."""
