"""How columns are scaled, and back."""
