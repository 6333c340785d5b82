"""Clusters: their queue, the desk of one cluster, and what the audit suggests about it."""
