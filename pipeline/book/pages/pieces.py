"""Small pieces of hand-written pages: how to cite the book, and how small its networks and data are."""

from collections.abc import Iterable, Mapping
from statistics import median

from pipeline.book.escape import fenced, raw
from pipeline.book.study import Study
from pipeline.findings.numbers import capital


def write(study: Study) -> dict[str, str]:
    """The piece of the page on citing, and that of the limits."""
    cited = citation(study.citation) if study.citation else "The project has no CITATION.cff.\n"
    return {"generated/cite.md": cited, "generated/limits/sizes.md": sizes(study)}


def citation(found: Mapping) -> str:
    """The content of CITATION.cff as a sentence and for BibTeX."""
    names = [author.get("name") or f"{author['given-names']} {author['family-names']}" for author in found["authors"]]
    year = str(found["date-released"])[:4]
    fields = {"title": f"{{{found['title']}}}", "author": " and ".join(f"{{{n}}}" for n in names),
              "year": year, "version": found["version"], "note": f"Licence: {found['license']}"}
    if "url" in found:
        fields["url"] = found["url"]
    entry = ",\n".join(f"  {key} = {{{raw(value)}}}" for key, value in fields.items())
    return (f"> {', '.join(names)} ({year}). *{found['title']}*. Version {found['version']}.\n\n"
            + fenced(f"@misc{{where_do_the_layers_go,\n{entry}\n}}", "bibtex"))


def sizes(study: Study) -> str:
    """The numbers of weights and of training samples: least, middle and greatest."""
    weights = [number for arms in study.weights.values() for number in arms.values()]
    texts = [f"The networks have {_spread(weights)} weights" if weights else "",
             f"a data set has {_spread(study.sizes.values())} training samples" if study.sizes else ""]
    text = capital("; ".join(filter(None, texts)))
    return f"{text}.\n" if text else "Nothing is stored yet that says how small.\n"


def _spread(numbers: Iterable[int]) -> str:
    """The least and the greatest of some numbers, and what half of them stay below."""
    numbers = sorted(numbers)
    if numbers[0] == numbers[-1]:
        return f"{numbers[0]:,}"
    return f"{numbers[0]:,} to {numbers[-1]:,} (half of them at most {median(numbers):,.0f})"
