"""Sphinx configuration: warnings are errors, and no page needs a network."""

import importlib.util
import os
import shutil
from pathlib import Path

import skembed

project = "skembed"
author = "The skembed developers"
copyright = "The skembed developers"
release = version = skembed.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
]
nitpicky = True
# The names of other packages: their pages cannot be looked up without a network.
nitpick_ignore_regex = [("py:.*", r"(?!skembed\.).*")]
templates_path = ["_templates"]
exclude_patterns = ["_build", "**/GALLERY_HEADER.rst"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autosummary_generate = True
# The numpydoc sections say it better.
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
numpydoc_validation_checks = {
    "all",
    # Not every object needs an extended summary, examples and cross references,
    "ES01",
    "EX01",
    "SA01",
    # and what is returned is said by its type.
    "GL08",
    "RT02",
    "RT03",
    "PR07",
    "YD01",
}
numpydoc_validation_exclude = {r"\.(get_metadata_routing|set_\w+_request|set_output)$"}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": "/plot_",
    "backreferences_dir": "gallery/backreferences",
    "doc_module": ("skembed",),
    "reference_url": {"skembed": None},
    "show_signature": False,
    # That page would fetch scripts from elsewhere.
    "write_computation_times": False,
    "min_reported_time": 1,
    "remove_config_comments": True,
    "plot_gallery": "True",
    "abort_on_example_error": False,
}

html_theme = "pydata_sphinx_theme"
html_title = "skembed"
html_show_sourcelink = False
html_theme_options = {
    "show_prev_next": False,
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
# MathJax with its fonts in one file, copied by `setup` below.
mathjax_path = "tex-svg.js"
# Examples run in processes of their own, which must not fetch models.
os.environ["HF_HUB_OFFLINE"] = "1"


def _copy_mathjax(app, error):
    package = importlib.util.find_spec("sphinx-mathjax-offline")
    script = Path(package.origin).parent / "static" / "mathjax" / "tex-svg.js"
    if error is None and app.builder.format == "html":
        shutil.copy(script, Path(app.outdir) / "_static")


def setup(app):
    """Have the pages' copy of MathJax written when they are."""
    app.connect("build-finished", _copy_mathjax)
