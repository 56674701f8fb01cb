"""What the adapter does, one module for each job: it gets a plain request, knows all the parts, and leaves printing to the shell."""
