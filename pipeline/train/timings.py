"""What training took, an experiment, and where: on this no result depends."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from pipeline.tables.store import Store
from pipeline.tables.stored import write_text

TIMINGS = Path("timings")


def timing(plan: Mapping, runs: pd.DataFrame, store: Store) -> dict | None:
    """What an experiment's runs took, of those of which it is known; None if it is of none.

    What a reader's own data took is no part of what the study took.

    Returns:
        `seconds` of all workers, as if one after another, compiling included; how many runs were `trained` in
        these, of all `runs`; the host that trained most of them, and the versions.
    """
    study = runs[~runs["data"].isin([name for name, about in plan["data"].items() if about.get("own")])]
    known = store.timings(study["key"])
    if not known:
        return None
    hosts = Counter(json.dumps(host) for _, host in known.values())
    return {"seconds": round(sum(seconds for seconds, _ in known.values()), 1), "trained": len(known),
            "runs": len(study), **json.loads(hosts.most_common(1)[0][0]), **plan["versions"]}


def write(plan: Mapping, runs: pd.DataFrame, store: Store, folder: Path = TIMINGS) -> None:
    """Write what an experiment's runs took, unless what is written there is of more runs."""
    new, path = timing(plan, runs, store), Path(folder) / f"{plan['experiment']}.json"
    if new is None:
        return
    written = json.loads(path.read_text(encoding="utf-8"))["trained"] if path.exists() else 0
    if new["trained"] == new["runs"] or new["trained"] >= written:
        write_text(path, json.dumps(new, indent=1) + "\n")
