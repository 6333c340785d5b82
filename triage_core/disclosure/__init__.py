"""The waiting period: embargoes, their machine and commands, and the gate before every door."""
