"""Whether processes that do a fit together have the same rows."""

from .._runtime.processes import current_processes


def check_same_rows(name, multiset, metadata=None, schema=None, last=None):
    """Refuse rows that differ between the processes of a fit.

    Parameters
    ----------
    name : str
        Of the rows, for messages.
    multiset : Multiset
    metadata : RowMetadata, default=None
        What stands beside the rows of its table.
    schema : Schema, default=None
    last : Model, default=None
        That training goes on from.

    Raises
    ------
    ValueError
        In all processes.
    """

    def stated():
        beside = None if metadata is None else metadata.as_columns()
        texts = {name: multiset.stated(beside)}
        if schema is not None:
            texts[f"columns of {name}"] = schema.stated()
        if last is not None:
            texts["what training goes on from, of seed"] = str(last.seed)
        return texts

    current_processes().check_same(stated)
