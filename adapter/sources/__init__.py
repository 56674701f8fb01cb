"""What is read: a server, a folder or one person as a snapshot of NDJSON, and what of it is refused."""
