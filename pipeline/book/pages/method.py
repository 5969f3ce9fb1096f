"""The method: the rule as the code has it, the data sets, and what the rule was measured to do."""

from collections.abc import Iterator

from pipeline.book.figures.reliability import reliability, reliability_alt
from pipeline.book.markdown import changed, experiment_link, image, listed, table
from pipeline.book.picture import Picture
from pipeline.book.study import Study
from pipeline.findings.asked import HALF, SAME
from pipeline.findings.numbers import capital, count, number, share, span
from pipeline.findings.regions import REGIONS, Reading
from pipeline.findings.words import Word
from pipeline.tables.stored import records

#: When each word is said: where the interval of the average lies. The first that fits is taken.
INTERVALS = {
    Word.A_LITTLE_BETTER: "above 0, below the margin", Word.BETTER: "above 0",
    Word.A_LITTLE_WORSE: "below 0, above minus the margin", Word.WORSE: "below 0",
    Word.NOTHING: "within the margin on both sides", Word.UNCLEAR: "anywhere else; what it rules out is said"}
READ = {Reading.AGREES: "what is predicted is proven", Reading.DISAGREES: "the contrary is proven",
        Reading.MIXED: "one is proven of some of its findings or kinds of data, the other of others, or neither",
        Reading.CANNOT_TELL: "neither is proven", Reading.TRUE: "of an identity: all of its checks hold",
        Reading.FALSE: "of an identity: one does not"}
EVENTS = {"better": "better by more than the margin", "within": "within the margin", "worse": "worse by more than the margin",
          "sign": "better at all", "range": "within the range"}


def write(study: Study) -> dict[str, str | Picture]:
    """The pieces of the method's page."""
    drawn = figure(study)
    pieces = {"constants": constants(study), "words": table(["the interval of the average lies", "the word"], [
        (where, f"**{word}**") for word, where in INTERVALS.items()]), "claims": regions(),
        "families": families(study), "data_sets": data_sets(study), "half": half(study), "errors": errors(study),
        "itself": itself(study), "edges": edges(study), "reliability": foretold(study, drawn)}
    return {f"generated/method/{name}.md": text or "Nothing is stored yet.\n" for name, text in pieces.items()} | (
        {f"figures/{drawn.name}": drawn} if drawn else {})


def constants(study: Study) -> str:
    """The rule's constants, as the code has them."""
    return table(["constant", "value", "what it is"], [
        (f"`{row['name']}`", number(row["value"], ".4g"), capital(row["says"])) for row in records(study.rule.table())]) + listed(
            "\n**Changed after runs were stored**, so that whoever changed it may have known what came of it:\n",
            [f"- {row['kind']} `{row['name']}`: {changed(row)}" for row in records(study.changes) if row["kind"] != "claim"])


def regions() -> str:
    """What a claim can predict of a finding, and what it reads."""
    return (table(["a claim can predict", "that is"], [
        (name.replace("_", " "), region.says) for name, region in REGIONS.items()])
        + "\n" + table(["it reads", "if"], [(f"**{word}**", why) for word, why in READ.items()]))


def families(study: Study) -> str:
    """How many data sets and units each family has, and on how many seeds they are measured."""
    lines = []
    for family, strata in study.families.items():
        parts = []
        for stratum, names in strata.items():
            units = {study.params.data[name].unit or name for name in names}
            fewer = f" in {len(units)} units" if len(units) < len(names) else ""
            parts.append(f"{count(len(names), stratum.removesuffix('s') or 'data set')}{fewer}")
        seeds = [study.params.data[name].seeds for names in strata.values() for name in names]
        lines.append(f"- **{family}**: {' and '.join(parts)}, {span(seeds)} seeds each")
    return "\n".join(lines) + "\n" if lines else ""


def data_sets(study: Study) -> str:
    """The data sets: what they are, the shape of a sample, the number of seeds."""
    return table(["data set", "family", "what it is", "one sample", "target", "seeds", "epochs at most", "batch"],
                 [_data_row(study, name) for name in study.params.data])


def _data_row(study: Study, name: str) -> tuple:
    data, arm = study.params.data[name], study.arms_of_data.get(name)
    train = study.params.train.model_dump() | {key: value for key, value in data.train.model_dump().items() if value is not None}
    shape, target = "–", "–"
    if arm:
        shape = " × ".join(map(str, arm["shape"]))
        target = f"{arm['task']['classes']} classes" if arm["task"]["classes"] else "a number"
    family = ", ".join(filter(None, [data.family, data.stratum, f"unit {data.unit}" if data.unit not in ("", name) else ""]))
    return (name, family or "–", capital(data.title or data.origin), shape, target, data.seeds,
            train["epochs"], train["batch_size"])


def half(study: Study) -> str:
    """On which data sets half the data makes no difference."""
    sets = study.data_sets
    if not len(sets):
        return ""
    dull = ", ".join(sorted(set(sets["data"]) - set(sets.loc[sets["reacts"].astype(bool), "data"])))
    return f"On these sets no difference of half the data was seen: {dull}.\n" if dull else "Half the data makes a difference on every set.\n"


def itself(study: Study) -> str:
    """On how many data sets a direction is found where nothing differs, and where half the data is taken away."""
    rows = study.error_rates[study.error_rates["subject"].isin([SAME, HALF])]
    return table(["compared with itself", "data sets", "a direction is found on", "interval of that share",
                  "noise of the effects", "as the seeds let expect"], [
        (row["subject"], int(row["findings"]), share(row["share"]), f"{share(row['low'])} to {share(row['high'])}",
         number(row["noise"], ".3f"), number(row["expected"], ".3f")) for row in records(rows)])


def errors(study: Study) -> str:
    """What simulated studies say whose true average is known, and how often that is wrong."""
    rates = study.error_rates
    words = rates[rates["subject"] == "words"].assign(wrong=rates["wrong"] * rates["share"])
    text = table(["of", "on", "true average", "data sets", "says", "wrong"], [
        (kind, stratum, _margins(truth), "spread as measured" if spread else "all alike",
         ", ".join(f"{row['says']} {share(row['share'], '.1f')}" for row in records(some) if row["share"] >= 5e-4),
         share(some["wrong"].sum(), ".1f"))
        for (kind, stratum, truth, spread), some in words.groupby(["kind", "stratum", "truth", "spread"], sort=False)])
    claims = rates[rates["subject"] == "claims"]
    if len(claims):
        worst = claims.groupby(["kind", "truth", "spread"])["wrong"].sum().max()
        text += f"\nOf claims, at most {share(worst, '.1f')} read wrong in any simulated case.\n"
    luck = rates.loc[rates["subject"].str.startswith("a false direction"), "share"]
    if len(luck):
        text += (f"\nOf directions with q up to {study.rule.q_level:g}, a share of at most {share(luck.max(), '.1f')} is false in any "
                 "simulated case.\n")
    return text if len(rates) else ""


def _margins(truth: float) -> str:
    return "0" if not truth else number(truth, "g", f" margin{'s' if truth > 1 else ''}")


def edges(study: Study) -> str:
    """The experiments whose rate lies at an edge of the grid, and on how many of their data sets."""
    rows = study.edges
    if not len(rows):
        return ""
    at = rows[rows["edge"] != ""]
    arms = at.groupby(["experiment", "variant"], sort=False)["edge"].agg(["size", lambda edge: ", ".join(dict.fromkeys(edge))])
    sizes = rows.groupby(["experiment", "variant"], sort=False).size()
    text = (f"The rate that most seeds are scored at lies at an edge of the grid in {len(at)} of {len(rows)} cases of a network "
            "on a data set. Most often so:\n\n")
    most = arms.sort_values("size", ascending=False, kind="stable").head(12)
    return text + table(["network", "edge", "data sets"], [
        (experiment_link(study, f"{name}[{variant}]" if variant else name), edge, f"{size} of {sizes[name, variant]}")
        for (name, variant), (size, edge) in zip(most.index, most.to_numpy().tolist(), strict=True)])


def figure(study: Study) -> Picture | None:
    """The reliability of what is foretold, drawn."""
    rows = study.reliability[~study.reliability["whole"].astype(bool)]
    return Picture("reliability", rows, reliability, reliability_alt, small=True) if len(rows) else None


def foretold(study: Study, drawn: Picture | None) -> str:
    """How well the probabilities for another set hold, and which of their bins are off."""
    rows = study.reliability
    if drawn is None:
        return ""
    whole = table(["it is foretold that another set is", "mean probability", "it was so", "interval", "Brier score", "of the share alone"], [
        (EVENTS.get(row["event"], row["event"]), share(row["predicted"]), share(row["happened"]),
         f"{share(row['low'])} to {share(row['high'])}", number(row["brier"], ".3f"), number(row["guessing"], ".3f"))
        for row in records(rows[rows["whole"].astype(bool)])])
    off = list(_off(rows[rows["off"].astype(bool)]))
    return f"{image(study, drawn)}\n{whole}\n" + (f"Off are: {'; '.join(off)}.\n" if off else "No bin is off.\n")


def _off(rows) -> Iterator[str]:
    for row in records(rows):
        yield (f"*{EVENTS.get(row['event'], row['event'])}*, foretold with {share(row['from'])} to {share(row['to'])}: it was so for "
               f"{share(row['happened'])} instead of {share(row['predicted'])}")
