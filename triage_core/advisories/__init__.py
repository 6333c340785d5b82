"""Advisories: what is told to peers about a generalizable flaw, under its embargo, and what they answer."""
