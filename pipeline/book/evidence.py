"""What others found, from `book/evidence.yaml`: shown beside ours and never averaged with them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import pydantic
from pydantic import Field

from pipeline.config.errors import ConfigError, Spec, nearest, shown, validate
from pipeline.config.read_yaml import read_yaml
from pipeline.config.readings import Claim

FILE, SOURCES = Path("book/evidence.yaml"), Path("book/references.bib")
KEY = re.compile(r"^@\w+\{([^,\s]+),", flags=re.M)
#: 0 and 1 have no logarithm that could be compared.
Error = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]


class Evidence(Spec):
    """One finding.

    With `comparison`, `treatment_error` and `control_error`, two error rates that the source prints (or 1
    less its accuracies), it is also an effect. It speaks to `claims`, which compare the treatment with
    the control, and to `turned`, which compare the control with the treatment.
    """

    rows: Annotated[list[Annotated[str, Field(pattern=r"^[AB]\d+$")]], Field(min_length=1)]
    says: str
    cite: str
    #: What is compared, and on which data, in few words.
    comparison: str = ""
    treatment_error: Error | None = None
    control_error: Error | None = None
    claims: list[str] = []
    turned: list[str] = []
    #: In what else the two differ.
    but: str = ""

    @pydantic.model_validator(mode="after")
    def _a_pair_or_none(self):
        pair = {"comparison": bool(self.comparison), "treatment_error": self.treatment_error is not None,
                "control_error": self.control_error is not None,
                "claims or turned": bool(self.claims or self.turned)}
        if any(pair.values()) and not all(pair.values()):
            missing = [name for name, there in pair.items() if not there]
            raise ValueError(f"{', '.join(missing)} missing; an effect needs {', '.join(pair)}")
        return self


def read_evidence(root: Path) -> tuple[dict[str, Any], ...]:
    """The findings of a project, in the file's order; none without the file.

    Returns:
        The fields of `Evidence`.

    Raises:
        ConfigError: an entry has a mistake, or cites what references.bib does not have.
    """
    path = Path(root) / FILE
    if not path.exists():
        return ()
    content = read_yaml(path)
    if not isinstance(content, list):
        raise ConfigError(f"{FILE}: found {shown(content)}; it needs a list of findings")
    found = [validate(FILE, Evidence, entry, (i,)) for i, entry in enumerate(content)]
    sources = Path(root) / SOURCES
    keys = KEY.findall(sources.read_text(encoding="utf-8")) if sources.exists() else []
    for i, entry in enumerate(found):
        if entry.cite not in keys:
            raise ConfigError(f"{FILE}: [{i}].cite: found '{entry.cite}'; {SOURCES} has no such entry"
                              f"{nearest(entry.cite, keys)}")
    return tuple(entry.model_dump() for entry in found)


def check_claims(evidence: Sequence[Mapping[str, Any]], claims: Iterable[Claim]) -> None:
    """Every effect speaks to claims that are declared, that are about errors, and that share a row with it.

    Raises:
        ConfigError: one does not.
    """
    known = {claim.slug: claim for claim in claims}
    for i, entry in enumerate(evidence):
        for slug in (*entry["claims"], *entry["turned"]):
            where = f"{FILE}: [{i}].{'claims' if slug in entry['claims'] else 'turned'}: found '{slug}'"
            if slug not in known:
                raise ConfigError(f"{where}; there is no such claim{nearest(slug, known)}")
            if known[slug].metric != "error":
                raise ConfigError(f"{where}, a claim about {known[slug].metric}; allowed: claims about the error")
            if not set(entry["rows"]) & set(known[slug].rows):
                raise ConfigError(f"{where}, a claim of row {', '.join(known[slug].rows)}; allowed: claims of "
                                  f"row {', '.join(entry['rows'])}")
