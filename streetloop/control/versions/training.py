"""How far a training is."""

from pydantic import BaseModel, Field

_MINUTE = 60


class TrainingView(BaseModel):
    """The training of a learning run, while it runs.

    Attributes:
        epoch: The current one, from 1.
        epochs: Number of epochs.
        done: Share of the training that is done.
        left_s: Seconds that it takes still; None while nobody knows. Judging follows.
    """

    epoch: int = Field(ge=1)
    epochs: int = Field(ge=1)
    done: float = Field(ge=0, le=1)
    left_s: float | None = Field(default=None, ge=0)

    def in_words(self) -> str:
        """One line of it.

        >>> TrainingView(epoch=2, epochs=5, done=0.31, left_s=260).in_words()
        'epoch 2 of 5, 31 %, about 4 min to go'
        """
        told = f"epoch {self.epoch} of {self.epochs}, {self.done * 100:.0f} %"
        return told if self.left_s is None else f"{told}, {time_to_go(self.left_s)}"


def time_to_go(seconds: float) -> str:
    """How long something may take still.

    >>> time_to_go(400), time_to_go(20)
    ('about 7 min to go', 'less than a minute to go')

    Args:
        seconds: At least 0.
    """
    minutes = round(seconds / _MINUTE)
    return f"about {minutes} min to go" if minutes > 0 else "less than a minute to go"
