"""What will be less than expected of a camera that runs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CameraWarning:
    """One thing that a run would not refuse, and that its user should know before.

    Attributes:
        code: Its kind for programs, such as ``fixed-size``; words with hyphens.
        text: One sentence for people, with the way out; it never holds a password.
    """

    code: str
    text: str
