"""Public names in ``backticks`` are links to their page, without a role in the text."""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

#: Whole literals only: ``VAETransformer``, ``VAETransformer()``, ``VAETransformer.sample``,
#: ``metrics.dci``, ``sklearn_replearn.rows``.
NAME = re.compile(r"(?:sklearn_replearn\.)?([A-Za-z_]\w*(?:\.\w+)*)(?:\(\))?")
PREFIX = "sklearn_replearn."


class PublicNames(SphinxPostTransform):
    """Links around literals that are the name of something in the reference."""

    default_priority = 15  # after roles have become links

    def run(self, **kwargs):
        pages = _pages(self.env)
        for literal in list(self.document.findall(nodes.literal)):
            found = NAME.fullmatch(literal.astext())
            if not found or found[1] not in pages or _is_linked(literal):
                continue
            docname, anchor = pages[found[1]]
            if docname == self.env.docname:
                continue
            link = nodes.reference("", "", internal=True)
            link["refuri"] = self.app.builder.get_relative_uri(self.env.docname, docname)
            link["refuri"] += f"#{anchor}" if anchor else ""
            literal.replace_self(link)
            link += literal


def _is_linked(node):
    while node := node.parent:
        if isinstance(node, nodes.reference):
            return True
    return False


def _pages(env):
    """Page and anchor of what the reference describes, by name, and by name without its module.

    Of two that are alike then, the later module has it: ``Tokens`` are rows, not a likelihood.
    """
    pages = {}
    for full, entry in sorted(env.domains["py"].objects.items(), reverse=True):
        if not full.startswith(PREFIX) or entry.aliased:
            continue
        name = full.removeprefix(PREFIX)
        pages[name] = entry.docname, entry.node_id
        short = name.partition(".")[2] if name.split(".")[0].islower() else ""
        if short[:1].isupper():
            pages.setdefault(short, (entry.docname, entry.node_id))
    return pages


def setup(app):
    app.add_post_transform(PublicNames)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
