"""The command line: one module per subcommand. Parses, calls one function of adapter/jobs, prints."""
