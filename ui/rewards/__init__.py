"""Rewards: the tables, and the card of one reward."""
