"""The reference Pulse stack. Imports neither the mock nor the rest of pulse_sim."""
