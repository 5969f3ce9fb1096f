"""The best and the worst place, with the caution that they deserve."""

from pipeline.book.words.places import finding, place_words
from pipeline.verdicts.rule import Rule
from tests.book.invented import all_places


def test_a_place_that_is_told_apart_is_best_and_another_may_be():
    first, second = [line for line in place_words("`bn`", all_places(), Rule()).splitlines() if line.startswith("-")]
    # exp(-0.4) - 1 = -0.3297, exp(0.3) - 1 = 0.3499
    assert first == ("- **sequences**: *after lstm_1* is best, −33 % (−39 to −26 %), better than without it. "
                     "*first* is worst, +35 % (+22 to +49 %), worse than without it.")
    assert second == (
        "- **tables**: *after conv_1* may be best, −18 % (−26 to −9.5 %), better than without it (so may "
        "*after relu_1*). *after lstm_1* may be worst, +5.1 % (−4.9 to +16 %), not told apart from the network "
        "without it (so may *first*).")


def test_three_rivals_are_listed():
    rows = all_places().assign(may_be_best=True)
    assert "(so may *first*, *after conv_1* and *after relu_1*)" in place_words("`bn`", rows, Rule())


def test_the_caution_names_confidence_and_number_of_places():
    text = place_words("`bn`", all_places(), Rule(confidence=0.9))
    assert "90 % intervals, for all 4 places together" in text
    assert "may be so by chance" in text and text.startswith("**Where do I put `bn`?** ")


def test_where_no_place_stands_out_that_is_said():
    rows = all_places().assign(stands="")
    assert "- **tables**: there are too few places to compare" in place_words("`bn`", rows, Rule())
    assert finding(rows) == [f"{data}: there are too few places to compare" for data in ("sequences", "tables")]


def test_where_every_place_may_be_both_none_is_told_apart():
    rows = all_places().assign(may_be_best=True, may_be_worst=True, apart=False)
    assert ("- **sequences**: no place is told apart from another, from *after lstm_1*, −33 % (−39 to −26 %), to "
            "*first*, +35 % (+22 to +49 %).") in place_words("`bn`", rows, Rule())
    assert finding(rows)[1] == "tables: no place is told apart from another"


def test_an_average_over_no_family_is_one_over_these_sets():
    assert finding(all_places().assign(family=""))[0].startswith("these sets: ")


def test_the_finding_names_the_change_if_asked():
    assert finding(all_places(), changes=True)[0] == (
        "sequences: after lstm_1 is best, −33 % (−39 to −26 %); first is worst, +35 % (+22 to +49 %)")
    assert finding(all_places())[0] == "sequences: after lstm_1 is best, first is worst"
