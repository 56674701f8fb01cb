"""A plan population with planted truth, independent of the adapter (see README.md)."""
