"""The reviewers' side: decisions, who works on what, second looks, answers, and undo."""
