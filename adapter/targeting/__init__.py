"""Who is targeted for MTM, who is not, and who cannot be decided."""
