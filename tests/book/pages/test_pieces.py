"""How to cite the book follows from CITATION.cff."""

from dataclasses import replace

from ruamel.yaml import YAML

from pipeline.book.pages.pieces import citation, sizes, write
from pipeline.book.study import read

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


def test_sizes_are_those_of_stored_networks_and_data(study):
    found = replace(study, weights={"plain": {("", "tides"): 100, ("", "wages"): 3000}, "mlp": {("", "wages"): 700}},
                    sizes={"tides": 640, "wages": 640})
    assert sizes(found) == ("The networks have 100 to 3,000 (half of them at most 700) weights; a data set has 640 "
                            "training samples.\n")
    assert sizes(replace(study, weights={}, sizes={"tides": 5})) == "A data set has 5 training samples.\n"
    assert sizes(replace(study, weights={}, sizes={})) == "Nothing is stored yet that says how small.\n"


def test_weights_are_added_over_the_layers_of_an_arm(project):
    rows = ["variant,data,layer,class,shape,parameters", ',tides,conv_1,Conv1D,"(batch, 21)",610',
            ',tides,lstm_1,LSTM,"(batch, 15)",1560', ',wages,conv_1,Conv1D,"(batch, 21)",7']
    (project / "results/runs/plain/layers.csv").write_text("\n".join(rows) + "\n")
    assert read(project).weights["plain"] == {("", "tides"): 2170, ("", "wages"): 7}
