"""A stream that somebody looks at."""

import io


class Terminal(io.StringIO):
    """Says that it is a terminal."""

    def isatty(self):
        return True
