"""Formulas as MathML, which browsers draw by themselves: no script is fetched to read a page."""

import re

from docutils import nodes
from docutils.utils.math import latex2mathml

#: Hints of size, which MathML gives by itself.
SIZES = re.compile(r"\\(?:big|Big|textstyle|displaystyle)(?![a-z])")


def _drawn(node, as_block):
    return latex2mathml.tex2mathml(SIZES.sub("", node.astext()), as_block=as_block)


def _inline(translator, node):
    translator.body.append(_drawn(node, as_block=False))
    raise nodes.SkipNode


def _block(translator, node):
    translator.body.append(f'<div class="math">{_drawn(node, as_block=True)}</div>\n')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
