"""Likeness of the stored reports: what is embedded and placed, asked, learned and suggested."""
