"""The reviewers' screens beside Review: the views of the inbox, second looks, answers, and undo."""
