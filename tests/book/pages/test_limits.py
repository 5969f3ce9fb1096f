"""The limits name the sizes of networks and data that are stored."""

from dataclasses import replace

from pipeline.book.pages.limits import sizes, write
from pipeline.book.study import read


def test_sizes_are_those_of_stored_networks_and_data(study):
    found = replace(study, weights={"plain": {("", "tides"): 100, ("", "wages"): 3000}, "mlp": {("", "wages"): 700}},
                    sizes={"tides": 640, "wages": 640})
    assert sizes(found) == ("The networks have 100 to 3,000 (half of them at most 700) weights; a data set has 640 "
                            "training samples.\n")
    assert sizes(replace(study, weights={}, sizes={"tides": 5})) == "A data set has 5 training samples.\n"
    assert write(replace(study, weights={}, sizes={})) == {
        "generated/limits/sizes.md": "Nothing is stored yet that says how small.\n"}


def test_weights_are_added_over_the_layers_of_an_arm(project):
    rows = ["variant,data,layer,class,shape,parameters", ',tides,conv_1,Conv1D,"(batch, 21)",610',
            ',tides,lstm_1,LSTM,"(batch, 15)",1560', ',wages,conv_1,Conv1D,"(batch, 21)",7']
    (project / "results/runs/plain/layers.csv").write_text("\n".join(rows) + "\n")
    assert read(project).weights["plain"] == {("", "tides"): 2170, ("", "wages"): 7}
