"""A small project of which every text is another one's: harmless, or hostile.

Which texts there are is asked of the specs, of the tables' columns and of the files themselves, so that a new one is
tried, too.
"""

import copy
import json
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

import nbformat
import numpy as np
import pandas as pd
from ruamel.yaml import YAML

from pipeline.book.written import Card, Chapter, Evidence, read_answers, read_cards, read_evidence
from pipeline.config.errors import ConfigError, Spec, validate
from pipeline.config.extends import WrittenExperiment
from pipeline.config.read_yaml import read_yaml
from pipeline.config.readings import Changed, Claim, READINGS, check_claims, read_changes
from pipeline.config.schema import load, parse
from pipeline.tables.schemas import FOUND as FINDINGS, STORED
from pipeline.tables.stored import write_table
from tests.book import invented
from tests.book.pages.test_data_set import ABOUT
from tests.book.pages.test_measured import FOUND, PLACE, ROW, TORTURE
from tests.book.pages.test_own import MINE
from tests.book.projects import make
from tests.book.test_data_set import recordings, series, table

#: Each text begins with another one of these lines.
LINES = (
    "{{ 7*7 }}", "<script>alert(1)</script>", "```{raw} html\n<b onclick=alert(1)>bold</b>\n```", "# x #",
    "```{include} /etc/passwd\n```", "[x](javascript:alert(1))", '"><img src=x onerror=alert(1)>', "$x$ $\\nope{1}$ ${1} ${2} \\(x\\)", "a | b",
    ":::{include} /etc/passwd\n:::", "`q` ``r``", "{download}`x </etc/passwd>`", "![x](/etc/passwd)", "- x", "1. x", "<!-- x",
    "```{eval-rst}\n.. include:: /etc/passwd\n```", "&lt;b&gt; *i* _i_ **b**", "(x)=", "'+alert(1)+' \\", "% x", "+++", ": x",
    "</script><script>alert(1)//", "{{ cycler.__init__.__globals__.os.popen('touch ran').read() }}", "> x", "[^1]: x", "---")
#: What pages look up: another text there is refused.
LOOKED_UP = {
    ("sets.yaml", "how"), ("scale", "unit"), ("doses", "key"), ("doses", "dose"), ("findings", "metric"), ("findings", "id"), ("findings", "kind"), ("findings", "treatment"),
    ("findings", "role"), ("findings", "endpoint"), ("findings", "scope"), ("findings", "scale"), ("error_rates", "subject"),
    ("places", "id"), ("multiverse", "id"), ("units", "id"), ("findings", "stratum"), ("multiverse", "stratum")}
EVERY = {**STORED, **FINDINGS}


class Texts:
    """Hands out texts, each once, and keeps where each stands."""

    def __init__(self, hostile):
        self.hostile, self.places = hostile, {}

    def new(self, place):
        """A text for a place."""
        number = len(self.places)
        at = number % len(LINES)
        text = "\n".join([*LINES[at:], *LINES[:at], f"Zq{number}q"]) if self.hostile else f"text Zq{number}q"
        self.places[text] = place
        return text

    def inside(self, content, place):
        """What JSON and YAML hold, with another text for each; a mapping of texts gets one more, with its key."""
        if isinstance(content, str):
            return content if tuple(place.split(": ")[::2]) in LOOKED_UP else self.new(place)
        if isinstance(content, list):
            return [self.inside(one, f"{place}[]") for one in content]
        if isinstance(content, dict):
            found = {key: self.inside(one, f"{place}: {key}") for key, one in content.items()}
            if all(isinstance(one, str) for one in content.values()):
                found[self.new(f"{place}: a key")] = self.new(f"{place}: another")
            return found
        return content


def _values(kind, text):
    """Values of a type that are a text, or hold one."""
    inner = get_args(kind)
    if kind is str:
        yield from (text, " ".join(text.split()) + ".csv")
    elif get_origin(kind) in (Annotated, list, tuple):
        found = _values(inner[0], text)
        yield from found if get_origin(kind) is Annotated else ([one] for one in found)
    elif get_origin(kind) in (Union, UnionType):
        yield from (one for part in inner for one in _values(part, text))
    elif get_origin(kind) is dict:
        yield from ({"a": one} for one in _values(inner[1], text))
        yield {text: "drop"}


def fill(model, entry, texts, place, accepted):
    """Put a text into each field of an entry that takes one.

    Args:
        entry: as YAML gives it; it is changed.
        accepted: says whether the file with the changed entry can be read.
    """
    for name, field in model.model_fields.items():
        before = copy.deepcopy(entry.get(name))
        if isinstance(field.annotation, type) and issubclass(field.annotation, Spec):
            fill(field.annotation, entry.setdefault(name, {}), texts, f"{place}.{name}", accepted)
            continue
        text = texts.new(f"{place}.{name}")
        for value in _values(field.annotation, text):
            entry[name] = value
            if accepted():
                break
        else:
            del texts.places[text]
            texts.places[f"refused {len(texts.places)}"] = f"refused: {place}.{name}"
            if before is None:
                entry.pop(name, None)
            else:
                entry[name] = before


def whole(folder, hostile):
    """Write the project into a folder.

    Returns:
        its texts, and where each stands.
    """
    make(folder, ("order", "old_code"))
    texts = Texts(hostile)
    _params(folder, texts)
    _questions(folder, texts)
    _tables(folder, texts)
    _jsons(folder, texts)
    _arrays(folder, texts)
    _record(folder, texts)
    return texts.places


def _dump(content, path):
    with path.open("w") as file:
        YAML().dump(content, file)


def _reads(read):
    """A function that says whether a file is read, or refused."""
    def accepted():
        try:
            read()
        except ConfigError:
            return False
        return True
    return accepted


def _params(folder, texts):
    path = folder / "params.yaml"
    content = read_yaml(path)
    data, experiments = content["data"], content["experiments"]
    for name, more in {"tides": {"window": 4}, "wages": {}, "gestures": {"recording": "r"}}.items():
        del data[name]["source"]
        data[name] |= {"file": f"{name}.csv", "target": "y"} | more
    data["mine"] = dict(MINE)
    accepted = _reads(lambda: parse(content))
    kinds = {name: type(parse(content).data[name]) for name in ("tides", "wages", "gestures", "vowels", "mine")}
    assert len(set(kinds.values())) == 4
    for name, kind in kinds.items():
        fill(kind, data[name], texts, f"params.yaml: data.{name}", accepted)
    for name in ("before", "anywhere", "mlp_bn"):
        fill(WrittenExperiment, experiments[name], texts, f"params.yaml: experiments.{name}", accepted)
    _dump(content, path)


def _questions(folder, texts):
    params, book = load(folder / "params.yaml"), folder / "book"
    claims = read_yaml(book / "readings.yaml") + [
        {"slug": slug, "rows": ["B2"], "who": "me", "says": "It is so.", "topic": slug, "checks": ["never_added"]}
        for slug in ("order", "old_code")]
    for entry in claims:
        fill(Claim, entry, texts, f"readings.yaml: {entry['slug']}", _reads(
            lambda entry=entry: check_claims([validate(READINGS, Claim, entry)], params)))
    _dump(claims, book / "readings.yaml")
    for name, read, model in (("claims_changes", lambda root: read_changes(root / "book/claims_changes.yaml"), Changed),
                              ("evidence", read_evidence, Evidence)):
        content = read_yaml(book / f"{name}.yaml")
        for number, entry in enumerate(content):
            fill(model, entry, texts, f"{name}.yaml: [{number}]", _written(content, book / f"{name}.yaml", read, folder))
        _dump(content, book / f"{name}.yaml")
    content = read_yaml(book / "answers.yaml")
    accepted = _written(content, book / "answers.yaml", read_answers, folder)
    for topic, chapter in content["chapters"].items():
        # Its lists name entries: one that there is not is drawn nowhere.
        kept = {name: chapter.pop(name) for name in ("sweeps", "places") if name in chapter}
        fill(Chapter, chapter, texts, f"answers.yaml: {topic}", accepted)
        chapter |= kept
    accepted = _written(content, book / "answers.yaml", read_cards, folder)
    for number, card in enumerate(content["cards"]):
        # What it looks up stays.
        kept = {name: card[name] for name in ("stratum", "topic", "findings")}
        fill(Card, card, texts, f"answers.yaml: cards[{number}]", accepted)
        card |= kept
        for one in card["findings"]:
            one["name"] = texts.new(f"answers.yaml: cards[{number}].findings.name")
    _dump(content, book / "answers.yaml")


def _written(content, path, read, folder):
    """A function that says whether a file with a content, as it is then, is read."""
    def write_and_read():
        _dump(content, path)
        read(folder)
    return _reads(write_and_read)


#: Rows of tables that the invented study does not have.
MORE = {
    "applications": [("ResNet", "ResNet50", 53, 49, 0, 4, 0, 53)], "old_code": [("A", "momentum", False, "It fails.", "none")],
    "baselines": [(name, 5, 0.5, np.nan, 0.45, 0.4, 0.25, 0.3, "k") for name in ("wages", "mine")],
    "changes": [("claim", "before_helps", "region", "worse", "better"), ("rule", "ratio_margin", "", "1.1", "1.2")] * 3,
    "predictions": [("claim", "before_helps", "better", False)],
    "disturbances": [tuple((ROW | {"equal": False}).values())],
    "scale": [("a step", number, 10, "seconds", 0.01 * number, 1.0, 9.0) for number in (150, 300, 1000)]}


def _with_texts(name, table, texts):
    """A table with a row more for each column of texts, which has a text there and is else as one of its rows.

    The first rows of findings and of sets are of what is shown; each row more of the findings is one of its own.
    """
    columns = [column for column in table if pd.api.types.infer_dtype(table[column]) == "string" and (name, column) not in LOOKED_UP]
    rows = len(table) // 3 if name in ("findings", "sets") else len(table)
    more = [table.iloc[[number * rows // len(columns)]].assign(**{column: texts.new(f"{name}.{column}")})
            for number, column in enumerate(columns)]
    own = [row.assign(id=f"of_its_own_{number}") if name == "findings" else row for number, row in enumerate(more)]
    return pd.concat([table, *own], ignore_index=True)


def _tables(folder, texts):
    tables = invented.tables()
    findings, sets = tables["findings"], tables["sets"]
    name = "before_or_plain_mine"
    own = findings[findings["id"] == "before_or_plain_sequences"].iloc[[0]].assign(id=name, kind="mine", stratum="mine")
    tables["findings"] = pd.concat([findings, own], ignore_index=True)
    mine = sets[sets["id"] == "before_or_plain_sequences"].iloc[[0]].assign(id=name, data="mine", unit="mine", stratum="mine", own=True)
    tables["sets"] = pd.concat([sets, mine], ignore_index=True)
    tables |= {name: pd.DataFrame(rows, columns=list(EVERY[name].columns)) for name, rows in MORE.items()}
    missing = {name for name, table in EVERY.items() if "{" not in table.file} - set(tables)
    assert not missing, f"tables without rows: {missing}"
    invented.store(folder, **{name: _with_texts(name, table, texts) for name, table in tables.items()})
    then = pd.read_csv(folder / "book/second_rule.csv", keep_default_na=False)
    write_table(_with_texts("second_rule", then, texts), folder / "book/second_rule.csv")


def _jsons(folder, texts):
    test = {"family": "images", "seeds": 12, "references": 90, "p_shift": 0.31, "p_excess": 0.92}
    timing = PLACE | {"machine": "x86_64", "seconds": 3.5, "trained": 3, "runs": 3, "keras": "1", "numpy": "2", "tensorflow": "3"}
    for name, content in {"results/certificates/mine": FOUND | {"tests": [test]}, "results/torture/about": TORTURE,
                          "results/scale/place": PLACE, "timings/before": timing}.items():
        path = folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(texts.inside(content, f"{name}.json")))
    (folder / "extracts").mkdir()
    about = {name: texts.inside(ABOUT, "sets.yaml") for name in ("wages", "tides")}
    citation = {"title": "A book", "authors": [{"name": "A"}, {"given-names": "B", "family-names": "C"}], "license": "MIT",
                "version": "1", "date-released": 2031, "url": "https://a.b"}
    for path, content in ((folder / "extracts/sets.yaml", {"sets": about}),
                          (folder / "CITATION.cff", texts.inside(citation, "CITATION.cff"))):
        _dump(content, path)


def _arrays(folder, texts):
    (folder / "data").mkdir()
    for name, arrays in {"tides": series(), "gestures": recordings(), "wages": table()}.items():
        named = {key: np.array([texts.new(f"{name}.npz: {key}") for _ in array]) for key, array in arrays.items()
                 if array.dtype.kind == "U" and array.ndim}
        np.savez(folder / f"data/{name}.npz", **arrays | named)


def _record(folder, texts):
    """A lab record that holds what a notebook may, and a page does not show, beside what it shows."""
    path = folder / "results/runs/before/record.ipynb"
    record = nbformat.read(path, as_version=4)
    text = "<script>alert(1)</script><img src=x onerror=alert(1)>" if texts.hostile else ""
    kinds = {"text/html": text, "application/javascript": "alert(1)", "image/svg+xml": f"<svg>{text}</svg>", "text/plain": text}
    record.cells += [
        nbformat.v4.new_raw_cell(text, metadata={"raw_mimetype": "text/html", "format": "text/html"}),
        nbformat.v4.new_markdown_cell(f"A cell. {text}"),
        nbformat.v4.new_code_cell(text, outputs=[nbformat.v4.new_output("display_data", data=kinds),
                                                 nbformat.v4.new_output("display_data", data={"text/markdown": text}),
                                                 nbformat.v4.new_output("stream", text=text)])]
    nbformat.write(record, path)
    (path.parent / "runs.csv").write_text("experiment,variant,data,seed,stopped\nbefore,,tides,1,9\n")
