"""Quality measures over the tables of a population."""
