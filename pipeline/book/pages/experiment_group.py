"""The page of the experiments whose first data set is of a group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.book.blocks import averages_with_scale, compared, effect_table, place_picture
from pipeline.book.escape import fenced, plain
from pipeline.book.markdown import claim_link, data_link, experiment_link, image, record_link, table
from pipeline.book.pages.experiments import group_pages
from pipeline.book.picture import Picture
from pipeline.book.study import Study
from pipeline.book.words.average import counts, elsewhere
from pipeline.book.words.claim import short
from pipeline.book.words.comparison import interval
from pipeline.book.words.network import chain, changed, put_in
from pipeline.book.words.numbers import count, share
from pipeline.book.words.places import place_words


def write(study: Study) -> dict[str, str | Picture]:
    """Every group's page, and the figures of its experiments that try every place."""
    files: dict[str, str | Picture] = {}
    for page, (title, names) in group_pages(study).items():
        files[f"experiments/{page}.md"] = "\n".join([
            f"# Experiments on {title}\n", *(entry(study, name) for name in names)])
        files |= {f"figures/{picture.name}": picture for name in names
                  if (picture := place_picture(study, name))}
    return files


def entry(study: Study, name: str) -> str:
    """An experiment: its network, its lines of params.yaml, its results, what rests on it."""
    experiment = study.params.experiments[name]
    text = f"Network: {chain(experiment)}. Data: {where(study, name)}."
    if experiment.versus:
        text += (f" Compared with {experiment_link(study, experiment.versus)}: "
                 f"{changed(study.params, name, experiment.versus)}.")
    used = [claim_link(c, short(c.slug)) for c in study.claims_on(name)]
    parts = [f"(experiment-{name})=\n## {experiment.title or plain(name)}\n",
             f"{experiment.note}\n" if experiment.note else "",
             text + "\n", fenced(study.lines.get(name, name), "yaml"), *_results(study, name),
             "Claims: " + "; ".join(used) + ".\n" if used else "",
             record_link(study, name, "Lab record: curves, scores and rates") + "\n"
             if name in study.records else ""]
    return "\n".join(part for part in parts if part)


def where(study: Study, name: str) -> str:
    """The families whose every data set an experiment runs on, and its other data sets."""
    names, parts = study.params.data_sets(name), []
    for family, strata in study.families.items():
        whole = [one for sets in strata.values() for one in sets]
        if set(whole) <= set(names):
            parts.append(f"the {count(len(whole), 'data set')} of the family [{family}](/data_sets.md)")
            names = [one for one in names if one not in whole]
    return ", ".join([*parts, *(data_link(study, one) for one in names)])


def _results(study: Study, name: str) -> Sequence[str]:
    if name in study.being_measured:
        own = [f"[{one}](#own-{one})" for one in study.params.data_sets(name) if one in study.params.own]
        return [f"*Being measured*: on the study's data sets it is not trained yet. On your own: {', '.join(own)}.\n"
                if own else "*Being measured*: it is not trained yet, and has no result and no lab record.\n"]
    effects = study.experiment_effects(name)
    numbers = (f":::{{dropdown}} On each data set ({len(effects)})\n" + effect_table(study, effects) + ":::\n"
               if len(effects) else "")
    if picture := place_picture(study, name):
        return [place_words(put_in(study.params.experiments[name]), picture.rows, study.rule), image(study, picture),
                numbers]
    if len(effects):
        return [*_averages(study, name), numbers, *_kept(study, name)]
    return ["No result is stored yet.\n"] if study.params.experiments[name].versus else _kept(study, name)


def _averages(study: Study, name: str) -> Iterator[str]:
    """What came of each comparison, over its family or its data sets, in a row."""
    averages = study.experiment_averages(name)
    rows = averages_with_scale(study.experiment_effects(name), averages)
    several = len(averages[["treatment", "control"]].drop_duplicates()) > 1
    header = [*(["comparison"] if several else []), "over", "average", "in the rule's words", "sets", "on another set"]
    yield table(header, [
        (*([compared(study, row)] if several else []), row["group"] or row["family"] or "these sets",
         interval(row, "mean"), row["word"], counts(row), elsewhere(row).removeprefix("on another set ") or "–")
        for row in rows])


def _kept(study: Study, name: str) -> list[str]:
    """How many seeds kept each rate of the grid, over all data sets."""
    mine = study.experiment_rates(name)
    if not len(mine):
        return []
    kept = mine.groupby("rate")["seeds"].sum()
    edge = share(mine.loc[mine["edge"].astype(bool), "seeds"].sum() / kept.sum())
    parts = ", ".join(f"{rate:g} by {int(seeds)}" for rate, seeds in kept.items())
    return [f"Learning rate kept: {parts} of {int(kept.sum())} seeds; {edge} kept one at an edge of the grid.\n"]
