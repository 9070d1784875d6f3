"""Where an element of the catalogue comes from; sources are described in data/catalogue/sources.json."""

from scripts.catalogue.files import Json

HUNAN = "hunan-portal-2026-07"
GUANGAN = "guangan-portal-2025-04"


def stated(source: str) -> Json:
    """The source says so itself."""
    return {"kind": "source", "source": source}


def compiled(evidence: str, source: str | None = HUNAN) -> Json:
    """Composed by the catalogue's editors; `evidence` names what it rests on."""
    origin: Json = {"kind": "compiled", "evidence": evidence}
    if source is not None:
        origin["source"] = source
    return origin
