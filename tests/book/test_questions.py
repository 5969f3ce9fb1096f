"""What the book asks of the averages: read whole, or refused in one message."""

from pathlib import Path

import pytest

from pipeline.book.questions import read_answers, read_guide
from pipeline.config.errors import ConfigError, read_yaml

ROOT = Path(__file__).parents[2]
READERS = {"guide": read_guide, "answers": read_answers}
GUIDE = "- {claim: a, situation: BN, "
ANSWER = "order:\n  question: Where?\n  answers:\n    - {claim: a, "


def written(folder, name, text):
    (folder / "book").mkdir(exist_ok=True)
    (folder / f"book/{name}.yaml").write_text(text)
    return folder


def test_the_books_own_files_are_read_as_they_are_written():
    assert list(read_guide(ROOT)) == read_yaml(ROOT / "book/guide.yaml")
    assert read_answers(ROOT) == read_yaml(ROOT / "book/answers.yaml")


@pytest.mark.parametrize("name, nothing", [("guide", ()), ("answers", {})])
def test_no_file_and_an_empty_one_ask_nothing(tmp_path, name, nothing):
    assert READERS[name](tmp_path) == nothing
    assert READERS[name](written(tmp_path, name, "# nothing yet\n")) == nothing


@pytest.mark.parametrize("name, text, found", [
    ("guide", "situation: BN\n", "book/guide.yaml: found {\"situation\": \"BN\"}; it needs a list of situations"),
    ("guide", "- BN helps\n", "book/guide.yaml: \\[0\\]: found 'BN helps'; it needs a mapping with: claim, instead, situation"),
    ("guide", GUIDE + "instead: true}\n", "book/guide.yaml: \\[0\\].instead: found true"),
    ("guide", GUIDE + "instead: [BN]}\n", "\\[0\\].instead.*at least 2 entr"),
    ("guide", GUIDE + "instead: [BN, LN, GN]}\n", "\\[0\\].instead.*at most 2 entr"),
    ("guide", GUIDE + "instead: [BN, BN]}\n", "\\[0\\].instead: found 'BN' twice; a choice is between two ways"),
    ("guide", GUIDE + "insted: [BN, LN]}\n", "\\[0\\].*'insted'.*did you mean 'instead'"),
    ("guide", "- {claim: a}\n", "\\[0\\].*situation"),
    ("answers", "- order\n", "book/answers.yaml: found \\[\"order\"\\]; it needs chapters by their topics"),
    ("answers", "order: Where?\n", "book/answers.yaml: order: found 'Where\\?'; it needs a mapping with: question"),
    ("answers", ANSWER + "change: 3}\n", "book/answers.yaml: order.answers\\[0\\].change: found 3; allowed: a word"),
    ("answers", ANSWER + '"true": Yes.}\n', 'order.answers\\[0\\].*it needs "change", or of an identity "true" and "false"'),
    ("answers", ANSWER + 'change: BN, "true": Yes., "false": No.}\n', 'it needs "change", or')])
def test_a_mistake_is_named_with_its_place(tmp_path, name, text, found):
    with pytest.raises(ConfigError, match=found) as said:
        READERS[name](written(tmp_path, name, text))
    assert "\n" not in str(said.value)
