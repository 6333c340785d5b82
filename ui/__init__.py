"""Pieces that the screens share; nothing here decides anything."""
