"""Pieces of Advisories: the table of them, the card of one, and the form that opens one."""
