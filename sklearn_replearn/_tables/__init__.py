"""The door: raw tables to numbers, and back."""
