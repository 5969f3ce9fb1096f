"""How to cite the book."""

from collections.abc import Mapping

from pipeline.book.escape import fenced, raw
from pipeline.book.study import Study


def write(study: Study) -> dict[str, str]:
    """How to cite the book, from CITATION.cff: as a sentence and for BibTeX."""
    text = citation(study.citation) if study.citation else "The project has no CITATION.cff.\n"
    return {"generated/cite.md": text}


def citation(found: Mapping) -> str:
    """A citation file's content as a sentence and for BibTeX."""
    names = [author.get("name") or f"{author['given-names']} {author['family-names']}" for author in found["authors"]]
    year = str(found["date-released"])[:4]
    fields = {"title": f"{{{found['title']}}}", "author": " and ".join(f"{{{n}}}" for n in names),
              "year": year, "version": found["version"], "note": f"Licence: {found['license']}"}
    if "url" in found:
        fields["url"] = found["url"]
    entry = ",\n".join(f"  {key} = {{{raw(value)}}}" for key, value in fields.items())
    return (f"> {', '.join(names)} ({year}). *{found['title']}*. Version {found['version']}.\n\n"
            + fenced(f"@misc{{where_do_the_layers_go,\n{entry}\n}}", "bibtex"))
