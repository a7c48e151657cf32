"""Scenario and plan documents."""
