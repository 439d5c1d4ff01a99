"""Figures of the gallery are as sharp on other pages as on their own: at twice the size."""

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx_gallery.directives import imgsgnode

FOLDER = "/gallery/images/sphx_glr_"


class GalleryFigures(SphinxTransform):
    """Pictures of the gallery become what the gallery has for them, before files are collected."""

    default_priority = 400

    def apply(self, **kwargs):
        for image in list(self.document.findall(nodes.image)):
            uri = image["uri"]
            if uri.startswith(FOLDER):
                sharp = uri.replace(".png", "_2_00x.png")
                figure = imgsgnode(uri=uri, alt=image.get("alt", ""))
                figure["srcset"] = f"{uri}, {sharp} 2.00x"
                figure["class"] = ["sphx-glr-single-img"]
                image.replace_self(figure)


def setup(app):
    app.add_transform(GalleryFigures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
