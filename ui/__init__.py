"""Pieces of screens: what they share stands here, the rest in the package of its screen; nothing here decides."""
