"""Improvement cycles: which failures one works on, what it finds, and which process works on it."""
