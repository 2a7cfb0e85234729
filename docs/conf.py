# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site of the guides and the reference, for Sphinx; ``make docs`` builds it.

The guides are written for the repository's web pages. This file adds what a site needs: the navigation, built from the
tables of README.md, which is the first page, and URLs for links that lead out of this folder.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import yaml
from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent
GALAXY = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
REPOSITORY = f"{GALAXY['repository']}/{{kind}}/main/{{path}}"
ANSIBLE = "https://docs.ansible.com/projects/ansible/latest"
# Labels of Ansible's own documentation that the reference uses.
ANSIBLE_PAGES = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}

project = f"{GALAXY['namespace']}.{GALAXY['name']}"
author = "msgops.fleet contributors"
copyright = f"2026, {author}"
release = version = GALAXY["version"]

extensions = ["myst_parser", "sphinx_antsibull_ext"]
root_doc = "index"
default_role = "any"
nitpicky = True
# The same anchors as on the repository's web pages.
myst_heading_anchors = 4

html_theme = "furo"
html_title = project
html_copy_source = False
html_show_sphinx = False
html_static_path = ["site.css"]
html_css_files = ["site.css"]
# No edit buttons: half of the pages are generated from plugins.
html_theme_options = {"top_of_page_buttons": []}
antsibull_ext_color_scheme = "default-autodark"

REFERENCE = """
```{toctree}
:hidden:
:caption: Reference

Plugins and roles <reference/index>
Environment variables <reference/environment_variables>
```
"""
LINK = re.compile(r"(?<=\]\()(?P<path>[^)#:\s]+)(?P<anchor>#[^)\s]*)?(?=\))")


def contents(text: str) -> str:
    """The site's navigation: the pages that the tables list, section by section, and the reference."""
    trees = ""
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        caption, _newline, body = section.partition("\n")
        if pages := re.findall(r"^\| \[[^]]*\]\(([^)]+)\.md\)", body, re.MULTILINE):
            trees += "\n".join(["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""])
    return trees + REFERENCE


def target(link: re.Match[str]) -> str:
    """The link's target on the site: a page or image of the site, or the file in the repository."""
    path, anchor = link["path"], link["anchor"] or ""
    file = (ROOT / "docs" / path).resolve()
    if file == ROOT / "docs" / "README.md":
        return f"{root_doc}.md{anchor}"
    if file.suffix in {".md", ".png", ".rst", ".svg"} and file.is_relative_to(ROOT / "docs"):
        return path + anchor
    inside = PurePosixPath(file.relative_to(ROOT))
    if inside.parent == PurePosixPath("plugins/modules"):
        return f"reference/{inside.stem}_module.rst{anchor}"
    if inside.parent == PurePosixPath("roles"):
        return f"reference/{inside.name}_role.rst{anchor}"
    return REPOSITORY.format(kind="tree" if file.is_dir() else "blob", path=inside) + anchor


def read(_app: Sphinx, page: str, source: list[str]) -> None:
    """Convert a guide, or a page that antsibull-docs wrote, to a page of the site."""
    text = source[0]
    if page.startswith("reference/"):
        # The theme shows a page's contents beside it, and has little room for titles.
        text = re.sub(r"^\.\. contents::\n(?: +:.*\n)*", "", text, flags=re.MULTILINE)
        source[0] = re.sub(
            r"^    ((\w+)_(module|filter|inventory|role))$", r"    \2 (\3) <\1>", text, flags=re.MULTILINE
        )
    else:
        text = LINK.sub(target, text)
        source[0] = text + contents(text) if page == root_doc else text


def find_elsewhere(
    _app: Sphinx, _environment: object, node: nodes.Element, content: nodes.Node
) -> nodes.reference | None:
    """Resolve references to Ansible's own documentation from known labels, without network access."""
    label = str(node["reftarget"])
    if plugin := re.fullmatch(r"ansible_collections\.ansible\.builtin\.(\w+)", label):
        page = f"collections/ansible/builtin/{plugin[1]}.html"
    elif node["reftype"] == "envvar" and label.startswith("ANSIBLE_"):
        page = f"{ANSIBLE_PAGES['ansible_configuration_settings']}#envvar-{label}"
    elif label in ANSIBLE_PAGES:
        page = ANSIBLE_PAGES[label]
    else:
        return None
    return nodes.reference("", "", content, internal=False, refuri=f"{ANSIBLE}/{page}")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", read)
    app.connect("missing-reference", find_elsewhere)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
