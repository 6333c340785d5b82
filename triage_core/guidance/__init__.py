"""The policy: its text and tables, versions, drafts and dry runs, clocks, and where it has holes."""
