"""Refuses frames of models with other classes: class ids mean something else there."""

from collections.abc import Callable, Collection, Mapping, Sequence

from streetloop.errors import ConfigError
from streetloop.ledger import Ledger
from streetloop.ledger.reviews import ReviewState, list_model_versions

_MAX_NAMED = 3  # model versions in one sentence


class LabelGuard:
    """Tells frames of the open model's class list from those of another or an unknown one.

    Frames of other versions fit if the registry records the same class list for them: fine-tuned
    models keep it, and a champion's frames outlive its turn.

    Attributes:
        names: Class names of the open model by class id.

    Args:
        model_version: Of the open model.
        names: Its class names by class id.
        find: Class names of other model versions, as far as they are known.
    """

    def __init__(
        self,
        model_version: str,
        names: Sequence[str],
        find: Callable[[Collection[str]], Mapping[str, Sequence[str]]],
    ) -> None:
        self.names = tuple(names)
        self._model_version = model_version
        self._find = find
        self._looked_up = {model_version}
        self._same = {model_version}

    def fits(self, model_version: str) -> bool:
        """True if `refusal` has found that a model has the open model's class list."""
        return model_version in self._same

    def refusal(self, ledger: Ledger, states: Collection[ReviewState]) -> ConfigError | None:
        """An error that names the frames in some states that do not fit; None if all fit.

        Args:
            ledger: Holds the frames; each of its model versions is looked up once.
            states: The states to check.

        Raises:
            LedgerError: The ledger cannot be read.
            RegistryError: The registry does not answer; what it was asked about does not fit yet.
        """
        unknown = set(list_model_versions(ledger, list(ReviewState))) - self._looked_up
        if unknown:
            found = self._find(unknown)
            self._same |= {v for v in unknown if tuple(found.get(v, ())) == self.names}
            self._looked_up |= unknown
        others = [v for v in list_model_versions(ledger, states) if not self.fits(v)]
        if not others:
            return None
        more = f" and {len(others) - _MAX_NAMED} more" if len(others) > _MAX_NAMED else ""
        return ConfigError(
            f"frames found by {', '.join(others[:_MAX_NAMED])}{more} are refused and stay as they "
            f"are: the open model {self._model_version} is not known to have the same classes; "
            "set STREETLOOP_MODEL, or --model of `streetloop run`, to the model that found them"
        )
