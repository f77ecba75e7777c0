"""What comes of trying a camera before it is saved."""

import base64

from pydantic import BaseModel, Field, computed_field


class CameraTrialView(BaseModel):
    """Whether a camera opens.

    Attributes:
        opens: Whether it does.
        text: What it is, or why it does not open; a sentence.
        picture: Its first picture, JPEG; None without one.
    """

    opens: bool
    text: str
    picture: bytes | None = Field(default=None, exclude=True, repr=False)

    @computed_field(description="the first picture, a JPEG in base64")  # type: ignore[prop-decorator]
    @property
    def jpeg(self) -> str | None:
        """The picture as text."""
        return None if self.picture is None else base64.b64encode(self.picture).decode()
