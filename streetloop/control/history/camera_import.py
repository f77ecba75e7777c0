"""What came of a list of cameras."""

from pydantic import BaseModel


class CameraImportView(BaseModel):
    """What a list of cameras did.

    Attributes:
        added: Ids of new cameras.
        changed: Ids of cameras that differ from what they were.
        unchanged: Ids of those that were as the list has them.
    """

    added: list[str]
    changed: list[str]
    unchanged: list[str]

    def in_words(self) -> str:
        """One sentence of it.

        >>> CameraImportView(added=["a", "b"], changed=[], unchanged=["c"]).in_words()
        '2 cameras are added, 0 changed, 1 as before'
        """
        some = f"{len(self.added)} camera{'s are' if len(self.added) != 1 else ' is'} added"
        return f"{some}, {len(self.changed)} changed, {len(self.unchanged)} as before"
