"""The papers of the MTM program: what members and prescribers receive, as blocks that Typst and HTML show alike."""
