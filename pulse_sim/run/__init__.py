"""One run: phases, fault injection, operator actions, sampling, recording."""
