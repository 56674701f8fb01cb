"""The command line: one module per subcommand. Parses, calls one function of jobs.py, prints."""
