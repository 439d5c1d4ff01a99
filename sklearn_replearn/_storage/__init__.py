"""How fitted estimators are stored: as plain values, in a file, by a version."""
