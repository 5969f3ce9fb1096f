"""An experiment's lines are those of the file, and nothing that follows them."""

from pipeline.book.lines import experiment_lines

#: An entry of one line with a remark, one of several, and one behind a blank line.
PARAMS = """\
experiments:
  # The first network
  plain:  {data: [sequences, images], layers: [conv, relu, lstm]}
  before: {of: plain, data: sequences, before: {relu: bn}}  # a remark
  after:
    data: sequences
    layers: [conv, relu, bn, lstm]
    versus: plain

  recurrent:
    {of: plain, data: sequences, set: {lstm.recurrent_dropout: 0.2}}
  anywhere: {of: plain, data: sequences, everywhere: bn}

train:
  epochs: 2
"""


def test_the_exact_lines_of_each_experiment():
    found = experiment_lines(PARAMS)
    assert list(found) == ["plain", "before", "after", "recurrent", "anywhere"]
    assert found["before"] == "before: {of: plain, data: sequences, before: {relu: bn}}  # a remark"
    assert found["after"] == "after:\n  data: sequences\n  layers: [conv, relu, bn, lstm]\n  versus: plain"
    assert found["recurrent"] == ("recurrent:\n  {of: plain, data: sequences, set: {lstm.recurrent_dropout: 0.2}}")


def test_a_comment_of_the_next_experiment_is_not_taken_along():
    text = "experiments:\n    one:\n        data: a\n\n    # about two\n    two: {data: b}\n\ntrain: {}\n"
    assert experiment_lines(text) == {"one": "one:\n    data: a", "two": "two: {data: b}"}
