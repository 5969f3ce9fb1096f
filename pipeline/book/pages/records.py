"""The list of lab records."""

from pipeline.book.escape import plain
from pipeline.book.markdown import record_link, table
from pipeline.book.pages.experiment_group import where
from pipeline.book.study import Study
from pipeline.book.words.network import chain


def write(study: Study) -> dict[str, str]:
    """Every stored lab record of an experiment, with its network and its data sets."""
    rows = [(record_link(study, name, plain(name)), chain(study.params.experiments[name]),
             where(study, name), f"[entry](#experiment-{name})")
            for name in study.records if name in study.params.experiments]
    text = table(["lab record", "layers", "data", ""], rows) or "No record is stored yet.\n"
    return {"generated/records.md": text}
