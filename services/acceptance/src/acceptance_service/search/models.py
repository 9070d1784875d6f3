"""Rows of the search index."""
