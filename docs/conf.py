"""How the pages are built: ``python -m sphinx -W -j auto docs docs/_build``."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_extensions"))

# The gallery looks up every name that an example imports, by itself.
from sklearn.experimental import enable_iterative_imputer  # noqa: E402, F401

import sklearn_replearn  # noqa: E402

project = "sklearn_replearn"
author = "The sklearn_replearn developers"
copyright = author
version = release = sklearn_replearn.__version__
language = "en"

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "gallery_figures",
    "mathml",
    "members",
    "public_names",
]
exclude_patterns = ["_build", "gallery/*.py", "**/sg_execution_times.rst", "sg_execution_times.rst"]
templates_path = ["_templates"]
root_doc = "index"
smartquotes = False  # values are written in quotes, and copied

# ---------------------------------------------------------------- pages in Markdown

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
html_math_renderer = "mathml"
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

# ---------------------------------------------------------------- reference

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say it, in words
autodoc_member_order = "bysource"
numpydoc_show_class_members = False  # the templates list them
python_maximum_signature_line_length = 80
add_module_names = False
toc_object_entries_show_parents = "hide"

# ---------------------------------------------------------------- gallery

sphinx_gallery_conf = {
    "examples_dirs": "../examples/gallery",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "within_subsection_order": "ExampleTitleSortKey",
    "min_reported_time": 600,
    "backreferences_dir": "gallery/backreferences",
    "doc_module": ("sklearn_replearn",),
    "reference_url": {"sklearn_replearn": None},
    "capture_repr": ("_repr_html_",),
    "image_srcset": ["2x"],
    "copyfile_regex": r"index\.rst",  # ours: by subject
    "notebook_extensions": set(),
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
    "parallel": True,
    "reset_modules": ("matplotlib", "strict_examples.warnings_are_errors"),
    "reset_modules_order": "both",
}

# ---------------------------------------------------------------- looks

html_theme = "pydata_sphinx_theme"
html_title = f"sklearn_replearn {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/logo.svg"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {
        "text": "sklearn_replearn",
        "image_light": "_static/logo.svg",
        "image_dark": "_static/logo.svg",
        "alt_text": "sklearn_replearn, home",
    },
    "navbar_align": "left",
    "header_links_before_dropdown": 5,
    "navigation_with_keys": False,
    "show_prev_next": True,
    "search_as_you_type": True,
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "default",
    "pygments_dark_style": "github-dark",
}
html_sidebars = {"start": [], "choosing": [], "changes": [], "glossary": [], "promises": []}
