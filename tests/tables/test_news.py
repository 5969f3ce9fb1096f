"""What is new since the last answer: noted once, and no news once it is what it was."""

import pytest

from pipeline.tables import news


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_what_is_new_is_noted_once_in_its_order_until_it_is_answered():
    assert news.noted() == []
    news.note("b", b"", b"1")
    news.note("a", b"", b"1")
    news.note("b", b"1", b"2")
    assert news.noted() == ["b", "a"]
    news.forget()
    assert news.noted() == [] and not news.NEW.exists()


def test_what_has_become_again_what_it_was_is_no_news():
    news.note("a", b"1", b"2")
    news.note("b", b"1", b"2")
    news.note("a", b"2", b"3")
    news.note("a", b"3", b"1")
    assert news.noted() == ["b"]
    news.note("c", b"1", b"1")
    assert news.noted() == ["b"]


def test_a_note_of_an_older_version_has_names_only():
    news.NEW.parent.mkdir()
    news.NEW.write_text("a\nb\na\n")
    assert news.noted() == ["a", "b"]
