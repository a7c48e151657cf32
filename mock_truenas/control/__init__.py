"""The control API: state, faults, journal, clock and reset of running NAS, over HTTP on a loopback port of its own."""
