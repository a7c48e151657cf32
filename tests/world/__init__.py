"""Tests of the world a run happens in."""
