"""The house under test."""
