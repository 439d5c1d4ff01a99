"""What a row is: a row of a table, an image, or tokens."""
