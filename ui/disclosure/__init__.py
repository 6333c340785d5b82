"""Disclosure: the card of one embargo."""
