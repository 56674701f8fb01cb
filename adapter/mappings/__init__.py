"""The data files of mappings/: where they lie, what they are, and every fault in them."""
