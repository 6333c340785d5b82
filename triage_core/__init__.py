"""Flawdesk's core: reports, likeness, triage, embargo and datasets, without a screen."""

__version__ = "0.2.0"
