"""The first page."""

from collections import Counter
from collections.abc import Iterator, Mapping

from pipeline.book.figures.intervals import intervals, intervals_alt
from pipeline.book import escape
from pipeline.book.markdown import claim_link, finding_link, image, interval_rows, record_link, render
from pipeline.book.pages.claims import THREADS
from pipeline.book.picture import Picture
from pipeline.book.ranked import SIMPLE
from pipeline.book.study import Study
from pipeline.config.claims import base
from pipeline.findings.numbers import capital, count, plain, share, with_unit
from pipeline.findings.words import FAMILY, Word, directed

#: So many of the greatest effects are drawn; so many claims are named of each reading.
GREATEST, NAMED = 8, 4
#: What to do follows from a finding's word alone.
DO = {Word.BETTER: "Worth it", Word.A_LITTLE_BETTER: "Gains a little", Word.A_LITTLE_WORSE: "Costs a little",
      Word.WORSE: "Better left out"}
LINES = {Word.NOTHING: "Hardly matters", Word.UNCLEAR: "Unclear"}


def write(study: Study) -> dict[str, str | Picture]:
    """What the first page includes."""
    drawn = greatest(study)
    return {f"figures/{one.name}": one for one in drawn} | {"generated/index.md": render(
        "index", cards=[card(study, one) for one in study.cards], meaning=meaning(study),
        drawn="".join(image(study, one) for one in drawn), threads=list(threads(study)), limits=limits(study))}


def card(study: Study, given: Mapping) -> dict:
    """A card: what to do, and how much it brings; the words for it are those of the findings.

    A finding that is better is worth it, one that is worse is left out, or it is luck where its q value says so; each with
    its sentence, the greatest effect first; of those that hardly matter, and of those that are unclear, the names stand on a line.
    """
    rows = [(one["name"], row) for one in given["findings"] if one["id"] in study.found
            for row in study.strata(one["id"]) if row["stratum"] == given["stratum"]]
    rows.sort(key=lambda one: -abs(one[1]["effect"]))
    lines = [f"**{what}{', or luck' if row['q'] > study.rule.q_level else ''}: {finding_link(study, row['id'], name)}.** "
             f"{row['sentence']}" for word, what in DO.items() for name, row in rows if row["word"] == word]
    for word, what in LINES.items():
        names = [finding_link(study, row["id"], name) for name, row in rows if row["word"] == word]
        lines += [f"**{what}:** {'; '.join(names)}."] if names else []
    links = [record_link(study, name, escape.plain(name)) for name in advised(rows)]
    return {"title": given["title"], "topic": given["topic"], "lines": lines or ["Nothing is stored yet."],
            "code": ", ".join(filter(None, links))}


def advised(rows: list[tuple[str, dict]]) -> list[str]:
    """The networks to take by a card's findings: changed where that is better, else as they were."""
    taken = {Word.BETTER: "treatment", Word.A_LITTLE_BETTER: "treatment"}
    directed = [row for _, row in rows if row["word"] in DO] or [row for _, row in rows[:1]]
    return list(dict.fromkeys(base(row[taken.get(row["word"], "control")]) for row in directed))


def meaning(study: Study) -> str:
    """How to read the sentences."""
    rule = study.rule
    margin = with_unit(plain(100 * (rule.ratio_margin - 1), 0), "%")
    return (f"In brackets: {with_unit(plain(100 * rule.confidence, 1), '%')} intervals of the average over data sets. *Better* and "
            f"*worse* say that the bracket leaves out 0, and *a little*, that all of it is below {margin}. What *hardly matters* "
            f"changes less than {margin} either way; *unclear* is the rest. Sets of one source count once. *On yours*: where the change "
            f"falls on about {with_unit(plain(100 * rule.range_share, 0), '%')} of other such sets. [The method](/method.md) says how.")


def greatest(study: Study) -> list[Picture]:
    """The greatest effects on errors that a word gives a direction, on data like these; each change once."""
    rows = [row for name in study.found for row in study.strata(name)
            if row["scope"] == FAMILY and row["endpoint"] == "best" and row["metric"] == "error" and directed(row["word"])]
    rows.sort(key=lambda row: -abs(row["effect"]))
    first = {row["id"]: row for row in reversed(rows)}
    found = interval_rows(row for row in rows if first[row["id"]] is row).head(GREATEST)
    return [Picture("greatest", found, intervals, intervals_alt)] if len(found) else []


def threads(study: Study) -> Iterator[str]:
    """What each thread's own predictions read, counted and named."""
    for letter, (title, link) in THREADS.items():
        claims = [one for one in study.claims if one.predicts and one.predicts.by == "thread"
                  and any(row.startswith(letter) for row in one.rows)]
        claims.sort(key=lambda one: not one.primary)
        by = {word: [one for one in claims if study.reading(one)["reading"] == word] for word in
              Counter(study.reading(one)["reading"] for one in claims)}
        name = f"[“{title}”]({link})" if link else f"“{title}”"
        parts = [f"{said} {len(by[word])}" + (
            f" ({'; '.join(claim_link(one) for one in by[word][:NAMED])}{'; …' if len(by[word]) > NAMED else ''})"
            if word in ("agrees", "disagrees") else "") for word, said in (
                ("agrees", "findings agree with"), ("disagrees", "disagree with"), ("mixed", "are mixed on"),
                ("cannot tell", "are silent on")) if word in by]
        if parts:
            yield f"**{name}** makes {count(len(claims), 'prediction')}: {', '.join(parts)}. [All claims](/claims.md)."


def limits(study: Study) -> list[str]:
    """Three limits, the first of them measured."""
    return [beaten(study),
            "The networks are small, and train in seconds on some hundreds to thousands of samples. "
            "Large ones may behave otherwise.",
            "The data sets are those that can be had, not a sample of all: an average describes data chosen this way, and yours "
            "may be unlike them. [All limits](/limits.md)."]


def beaten(study: Study) -> str:
    """How many of the study's networks lose to a simple predictor."""
    known = study.data_sets[study.data_sets["data"].isin(study.real) & study.data_sets["simple_error"].notna()]
    if not len(known):
        return "Simple predictors are not measured yet."
    loses, weak = (int(some.sum()) for some in (known["error"] > known["simple_error"], ~known["competent"].astype(bool)))
    *most, last = SIMPLE.values()
    return (f"{capital(', '.join(most))} or {last} has less error than the study's plain network in {loses} of {len(known)} pairs "
            f"of a network and a real data set, on the same seeds; in {weak}, the network's error is more than "
            f"{share(study.rule.competent - 1)} above the best of theirs. Where a simple predictor wins, use it.")
