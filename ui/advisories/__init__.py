"""Pieces of Advisories: the table of them, the card of one, the form that opens one, and the peers."""
