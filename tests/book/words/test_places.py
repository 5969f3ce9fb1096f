"""The best and the worst place, with the caution that they deserve."""

from pipeline.book.words.places import finding, place_words
from pipeline.verdicts.rule import Rule
from tests.book.made import all_places


def test_a_place_that_is_told_apart_is_best_and_another_may_be():
    first, second = [line for line in place_words("`bn`", all_places(), Rule()).splitlines() if line.startswith("-")]
    # exp(-0.4) - 1 = -0.3297, exp(0.3) - 1 = 0.3499
    assert first == ("- **forecast**: *after lstm_1* is best, −33 % (−39 to −26 %), better than without it. "
                     "*first* is worst, +35 % (+22 to +49 %), worse than without it.")
    assert second == (
        "- **vowels**: *after conv_1* may be best, −18 % (−26 to −9.5 %), better than without it (so may "
        "*after relu_1*). *after lstm_1* may be worst, +5.1 % (−4.9 to +16 %), not told apart from the network "
        "without it (so may *first*).")


def test_three_rivals_are_listed():
    rows = all_places().assign(may_be_best=True)
    assert "(so may *first*, *after conv_1* and *after relu_1*)" in place_words("`bn`", rows, Rule())


def test_the_caution_names_confidence_and_number_of_places():
    text = place_words("`bn`", all_places(), Rule(alpha=0.1))
    assert "90 % intervals, for all 4 places of a data set together" in text
    assert "may be so by chance" in text and text.startswith("**Where do I put `bn`?** ")


def test_where_no_place_stands_out_that_is_said():
    rows = all_places().assign(stands="")
    assert "- **vowels**: no place can be named" in place_words("`bn`", rows, Rule())
    assert finding(rows).splitlines() == ["forecast: no place can be named", "vowels: no place can be named"]
