"""Long sweeps, one module for each issue that has them; ``python -m tests.nightly`` writes ``docs/measurements``."""
