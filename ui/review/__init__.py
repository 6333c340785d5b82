"""Review: the queue, the report on the desk with what is like it, the decision, and the keys."""
