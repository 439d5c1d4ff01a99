"""The training loop: skorch, used by its extension points."""
