"""Tables in Markdown, for the records of all benchmarks and for their pages."""


def table(header, rows, align="---:"):
    """Lists of cells as a table; the first column says what a row is."""
    lines = [header, ["---"] + [align] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def three_digits(cell):
    """Shares with three digits behind the point, other numbers with one; text as it is."""
    if not isinstance(cell, float):
        return str(cell)
    return f"{cell:.3f}" if abs(cell) < 1.5 else f"{cell:.1f}"


def table_of(rows, shown=three_digits):
    """Rows, each a dict of its cells by column, as a table; cells that a row lacks are empty."""
    header = list(dict.fromkeys(name for row in rows for name in row))
    return table(header, [[shown(row.get(name, "")) for name in header] for row in rows], "---")
