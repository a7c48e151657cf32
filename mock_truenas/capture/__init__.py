"""Recordings of real appliances: taken from one, made anonymous, kept in a file, and served again."""
