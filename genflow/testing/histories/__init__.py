"""Histories made by hand, read from files, and checked."""
