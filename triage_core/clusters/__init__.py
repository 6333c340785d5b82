"""Clusters as the unit of work: their queue, what people said of them, and what audits found."""
