"""Who judges whether a row is anomalous, one kind of evidence a file."""
