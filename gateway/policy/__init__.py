"""Core: policies, and the decision that follows from facts. Files are read by the loader."""
