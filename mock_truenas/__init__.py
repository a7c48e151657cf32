"""A mock TrueNAS SCALE appliance; usable alone."""
