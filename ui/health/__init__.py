"""Health: a card for each thing that an operator answers for, and the tables of keys and imports."""
