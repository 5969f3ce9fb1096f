"""The first page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pipeline.book.advice import Advice, Do, advice
from pipeline.book.figures.answers import answer_rows, answers, answers_alt, answers_narrow
from pipeline.book.markdown import claim_link, framed, source, table
from pipeline.book.picture import Picture
from pipeline.book.study import Study
from pipeline.book.words.claim import BADGES, verdict_words
from pipeline.book.words.numbers import count, signed, span


def write(study: Study) -> dict[str, str | Picture]:
    """What the first page includes: the figure of the answers, the same with links, and the verdicts' counts."""
    found = advice(study, primary=True)
    rows = answer_rows(found)
    # Before anything is measured there is nothing to draw; the list says so.
    drawn = (("answers", answers), ("answers-narrow", answers_narrow)) if (rows["words"] != "").any() else ()
    shown = {f"figures/{name}": Picture(name, rows, draw, answers_alt, small=name != "answers")
             for name, draw in drawn}
    return shown | {
        "generated/index/answers.md": front(study, found, list(shown.values())),
        "generated/index/verdicts.md": verdicts(study)}


def front(study: Study, found: Sequence[Advice], pictures: Sequence[Picture]) -> str:
    """The figure, for wide screens and for narrow ones; how to read it; and the same as a list with links."""
    if not found:
        return "No situation of the guide rests on a primary claim that is declared.\n"
    drawn = [framed(picture, f"only-{side}", f"figure {side}") for picture, side in zip(pictures, ("wide", "narrow"), strict=False)]
    return "\n".join([*drawn, _source(study, found, pictures), _key(study, found), listed(found)])


def _source(study: Study, found: Sequence[Advice], pictures: Sequence[Picture]) -> str:
    if not pictures:
        return ""
    names = [name for one in found for name in one.claim.experiments]
    return source(study, f"{pictures[0].name}.csv", pictures[0].data.encode(), names)


def _key(study: Study, found: Sequence[Advice]) -> str:
    """How to read the figure."""
    rule = study.rule
    seeds = [int(n) for one in found for finding in one.found for n in finding.units["seeds"]]
    each = f", each with {span(seeds)} seeds" if seeds else ""
    return (f"**How to read it.** A dot is one [data set](/method.md){each}; sets of one source are one unit, and one dot. The "
            f"diamond is their average, with its {100 * rule.confidence:.0f} % interval. *On another set*: where "
            f"the effect on another such set falls, in about {100 * rule.range_share:.0f} % of cases. Changes are relative: "
            f"of the error rate, or of the root of the mean squared error. One by less than a factor of {rule.ratio_margin:g} "
            f"({signed(100 * (1 / rule.ratio_margin - 1), ' %')} to {signed(100 * (rule.ratio_margin - 1), ' %')}) hardly "
            "matters; *a little* says that the whole interval is below that, *clearly* that it is above. "
            "A row without “rather than” compares with the same network without that layer. *Better* and *worse* stand "
            "only where the average would hold among so many questions, too (at a false discovery rate of "
            f"{100 * rule.q_level:.0f} %). The networks are small, and the sets are those that could be had: see "
            "[the limits](/limits.md).\n")


def listed(found: Sequence[Advice]) -> str:
    """Every answer again, with links to its chapter and its claim, as a table that stacks on a narrow screen."""
    rows = [(f"[{one.situation}](/{one.claim.topic}.md)" + (f" ({finding.group})" if finding.group else ""),
             f"**{finding.head}**", " ".join(filter(None, [finding.words, finding.note])) or "–",
             f"{verdict_words(finding.verdict)} {claim_link(one.claim)}")
            for do in Do for one in found for finding in one.found if finding.do is do]
    return (":::::{dropdown} The same in words, with links\n::::{div} cards answers\n" + table(["question", "answer", "what was found", "the threads’ claim"],
                                                                     rows) + "::::\n:::::\n")


def verdicts(study: Study) -> str:
    """How many claims came out which way; one whose strata differ has a verdict for each."""
    found = Counter(row["verdict"] for claim in study.claims for row in study.verdict_rows(claim))
    if not found:
        return "No claim is declared.\n"
    parts = [[f"{found[k]} {k}" for k in names if found[k]] for names in (
        [k for k in BADGES if k not in ("true", "false")], ("true", "false"))]
    exact = f"; decided by exact checks: **{', '.join(parts[1])}**" if parts[1] else ""
    every = sum(found.values())
    twice = f" ({every}, as some have one for forecasts and one for classes)" if every > len(study.claims) else ""
    return (f"These questions are a few of [{count(len(study.claims), 'claim')}](/claims.md). A verdict says whether what a claim "
            f"predicts was found; those on all of them{twice}: **{', '.join(parts[0]) or 'none'}**{exact}.\n")
