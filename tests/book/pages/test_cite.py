"""How to cite the book follows from CITATION.cff."""

from dataclasses import replace

from ruamel.yaml import YAML

from pipeline.book.pages.cite import citation, write

FILE = """
title: "A book"
authors: [{name: The makers}, {given-names: Ada, family-names: Byron}]
license: MIT
version: 1.2.3
date-released: 2031-05-06
"""


def test_the_citation_is_that_of_the_file(study):
    text = citation(YAML(typ="safe").load(FILE))
    assert "> The makers, Ada Byron (2031). *A book*. Version 1.2.3." in text
    assert "author = {{The makers} and {Ada Byron}}" in text and "year = {2031}" in text
    assert "url" not in text and "  url = {https://a.b}" in citation(YAML(typ="safe").load(FILE + "url: https://a.b"))
    assert write(replace(study, citation={}))["generated/cite.md"].startswith("The project has no")
