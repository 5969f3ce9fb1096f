"""How to cite the book."""

from __future__ import annotations

from pipeline.book.study import Study


def citation(study: Study) -> str:
    """How to cite the book, from CITATION.cff: as a sentence and for BibTeX."""
    found = study.citation
    if not found:
        return "The project has no CITATION.cff.\n"
    names = [author.get("name") or f"{author['given-names']} {author['family-names']}"
             for author in found["authors"]]
    year = str(found["date-released"])[:4]
    fields = {"title": f"{{{found['title']}}}", "author": " and ".join(f"{{{n}}}" for n in names),
              "year": year, "version": found["version"], "note": f"Licence: {found['license']}"}
    if "url" in found:
        fields["url"] = found["url"]
    entry = ",\n".join(f"  {key} = {{{value}}}" for key, value in fields.items())
    return (f"> {', '.join(names)} ({year}). *{found['title']}*. Version {found['version']}.\n\n"
            f"```bibtex\n@misc{{where_do_the_layers_go,\n{entry}\n}}\n```\n")
