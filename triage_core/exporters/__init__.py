"""Datasets: immutable, versioned folders of labelled conversations for whoever trains on them."""
