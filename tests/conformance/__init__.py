"""The simulated network against real sockets, cell by cell."""
