"""The reference shows what is written here, and leaves out what classes inherit from elsewhere."""


def _is_foreign(app, what, name, member, skip, options):
    written = getattr(member, "fget", member)
    module = getattr(written, "__module__", None) or ""
    return True if not module.startswith("sklearn_replearn") else None


def setup(app):
    app.connect("autodoc-skip-member", _is_foreign)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
