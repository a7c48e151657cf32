"""The threshold scenarios, and stacks whose thresholds are a little off."""
