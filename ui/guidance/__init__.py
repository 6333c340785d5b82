"""The policy: its text and tables, the drafts of the next version, and its gaps."""
