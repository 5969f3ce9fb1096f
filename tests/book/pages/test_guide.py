"""The guide shows every situation with what it rests on, and what a reader can pick."""

from pipeline.book.pages.guide import dotted, write


def test_the_guide_shows_every_situation_with_what_was_compared(guided):
    text = write(guided)["generated/guide.md"]
    assert [line for line in text.splitlines() if line.startswith("### ")] == [
        "### BN after a Conv1D", "### BN or none", "### Nobody looked"]
    assert "**Open:** neither was seen to be better." in text
    assert ("{.compared .network--conv1d-and-lstm .activation--tanh .samples--more-than-700 "
            ".way--better}") in text
    assert "[bn](#experiment-bn) against [plain](#experiment-plain) on forecast: 26 % lower" in text
    assert "(95 % interval 18 % to 33 %), **better**.\n" in text
    # 640 samples, a quarter of them: 160.
    assert ".network--dense-layers-mlp .activation--relu .samples--fewer-than-300 .way--unclear}" in text
    assert "(train_fraction=1.0)](#experiment-mlp) on tabular: not measured yet." in text
    assert ".samples--300-to-700 .way--none}" in text


def test_a_reader_can_pick_what_there_is(guided):
    text = write(guided)["generated/guide.md"]
    assert text.startswith(":::{div} choices\n- Your network: Conv1D and LSTM · dense layers (MLP)\n")
    assert "- Training samples: more than 700 · fewer than 300 · 300 to 700" in text


def test_choices_are_words_that_a_style_sheet_can_name():
    assert dotted({"network": "text: embedding, Conv1D", "way": "better"}) == (
        ".network--text-embedding-conv1d .way--better")


def test_a_guide_without_situations_says_so(study):
    assert write(study)["generated/guide.md"] == "No situation of the guide rests on a claim that is declared.\n"
