"""Use cases of the window."""
