"""Which classes a teacher may label by itself: its precision, as people measured it."""

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass

_CONFIDENCE = 0.95
_NEWEST = 500  # checked boxes that count, of a class at a camera; older ones say little of today


@dataclass(frozen=True, slots=True)
class Check:
    """What people said of a teacher's boxes of one class in one frame.

    Attributes:
        camera_id: Where.
        class_name: Which class.
        right: Boxes that a person left, or moved a little.
        checked: Boxes that a person saw.
    """

    camera_id: str
    class_name: str
    right: int
    checked: int


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """When a class is labeled without people.

    Attributes:
        level: Precision that is asked for, 0 to 1. Higher leaves more frames to people.
        least: Checked boxes before a precision says anything. Of a camera with fewer, the precision
            at all cameras counts.
    """

    level: float = 0.95
    least: int = 100


@dataclass(frozen=True, slots=True)
class Precision:
    """A precision with its 95 % interval (Clopper and Pearson, 1934).

    >>> found = Precision(right=100, checked=100)
    >>> round(found.low, 3), found.high
    (0.964, 1.0)

    Attributes:
        right: Boxes that were right.
        checked: Boxes that were checked.
    """

    right: int
    checked: int

    @property
    def share(self) -> float:
        """Share of right boxes; NaN without boxes."""
        return self.right / self.checked if self.checked else float("nan")

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        if not self.right:
            return 0.0
        from scipy.stats import beta  # takes a second: where it is needed

        return float(beta.ppf((1 - _CONFIDENCE) / 2, self.right, self.checked - self.right + 1))

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        if self.right == self.checked:
            return 1.0
        from scipy.stats import beta  # takes a second: where it is needed

        return float(beta.ppf((1 + _CONFIDENCE) / 2, self.right + 1, self.checked - self.right))


class _Record:
    """The newest checks of one class, at one camera or at all."""

    def __init__(self, policy: TrustPolicy) -> None:
        self._policy = policy
        self._checks: deque[Check] = deque()
        self._right = self._checked = 0
        self.trusted = False

    @property
    def precision(self) -> Precision:
        return Precision(self._right, self._checked)

    @property
    def says_something(self) -> bool:
        return self._checked >= self._policy.least

    def add(self, check: Check) -> None:
        """Add a check; trust begins above the level for certain, and ends below it for certain."""
        self._checks.append(check)
        self._count(check, 1)
        while self._checked - self._checks[0].checked >= _NEWEST:
            self._count(self._checks.popleft(), -1)
        now = self.precision
        if self.trusted:
            self.trusted = now.high >= self._policy.level
        else:
            self.trusted = self.says_something and now.low > self._policy.level

    def _count(self, check: Check, sign: int) -> None:
        self._right += sign * check.right
        self._checked += sign * check.checked


class Trust:
    """What a teacher may label, by class and camera.

    Trust begins once the lower bound of the precision is above the level, and ends when the upper
    bound is below it: between the two nothing changes.

    Args:
        policy: When a class is trusted.
        checks: What people said so far, in order of time.
    """

    def __init__(self, policy: TrustPolicy, checks: Iterable[Check] = ()) -> None:
        self._policy = policy
        self._records: dict[tuple[str | None, str], _Record] = defaultdict(lambda: _Record(policy))
        for check in checks:
            self.add(check)

    def add(self, check: Check) -> None:
        """Take what people said of another frame."""
        if check.checked:
            for camera in (None, check.camera_id):
                self._records[camera, check.class_name].add(check)

    def trusts(self, class_name: str, camera_id: str) -> bool:
        """Whether boxes of a class at a camera need no person."""
        own = self._records.get((camera_id, class_name))
        if own is not None and own.says_something:
            return own.trusted
        every = self._records.get((None, class_name))
        return every is not None and every.trusted

    def precisions(self) -> list[tuple[str | None, str, Precision, bool]]:
        """Camera (None for all), class, precision, and whether it is trusted; all cameras first."""
        rows = sorted(self._records, key=lambda key: (key[1], key[0] or ""))
        return [
            (camera, name, self._records[camera, name].precision, self._records[camera, name].trusted)
            for camera, name in rows
        ]
