"""The command line, the composition root for people."""
