"""Every error that streetloop raises on purpose.

::

    StreetloopError
    ├── ConfigError            the camera file, a flag or a setting is wrong
    │   └── FieldsInvalid      ... and which fields of a form or a document are
    ├── SourceError            a camera's stream
    │   ├── SourceUnavailable  not there now; trying again may help
    │   ├── SourceStalled      connected, but no data within the time-out
    │   ├── SourceRefused      wants other credentials; trying again does not help
    │   └── SourceUnreadable   there, but not a video that can be read
    ├── ModelError             a model file
    │   ├── ModelNotFound      no such file, and none could be fetched
    │   └── ModelUnsupported   readable, but not a detector we can run
    ├── DatasetError           a dataset cannot be found, read or made
    │   └── DatasetInvalid     ... is not fit to learn from
    │       └── TooFewToJudge  ... or has too few frames to judge by
    ├── TrainingError          a training ended without a model
    ├── ClusterError           Ray did not start on this machine
    ├── ProcessDied            a process that worked for this one ended before its answer
    ├── RegistryError          the registry of models did not answer, or does not know
    │   └── VersionUnknown     ... a version or an alias, and so no model
    ├── DetectorError          a detector failed to answer for a batch
    │   ├── AnswerLate         ... or not in time
    │   └── AnswerInvalid      ... or gave an answer that cannot be right
    ├── RolloutError           a rollout cannot be started or moved
    ├── LearningError          a learning run cannot be begun or moved
    ├── StoreError             the object store
    ├── BackupError            a backup could not be made, or was changed since
    ├── LedgerError            the database of what happened and what is to be done
    │   ├── LedgerUrlInvalid   ... its URL is wrong
    │   └── LeaseLost          ... another process runs the application now
    ├── LabelerError           the labeler could not be reached, or did not answer
    │   └── LabelerRefused     wants another token, or a project that is gone
    ├── LanguageModelError     a language model did not answer, or not usably
    ├── EventSinkError         an event sink did not take what was sent
    ├── QueueFull              too much waits already; asking again later helps
    ├── NotFound               what was named is not there
    ├── ChangedMeanwhile       somebody else has changed what was read before
    ├── ImageUnreadable        bytes that should be an image cannot be decoded
    └── InputRejected          something sent over HTTP is not acceptable
        └── InputTooLarge      ... because of its size

Vendor exceptions are translated once, in the adapter of the vendor. A message is one sentence
that names the thing and, where there is one, the way out; it never holds a password.
"""

from collections.abc import Mapping


class StreetloopError(Exception):
    """Base of all errors raised on purpose."""


class ConfigError(StreetloopError):
    """The camera file, a flag or a setting is wrong."""


class FieldsInvalid(ConfigError):
    """Fields of a form, or keys of a document, are wrong.

    Attributes:
        faults: What is wrong by the name of the field; empty for the document as a whole.
    """

    def __init__(self, message: str, faults: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.faults = dict(faults or {})


class SourceError(StreetloopError):
    """A camera's stream cannot be read."""


class SourceUnavailable(SourceError):
    """The stream is not there now: unreachable, or it went away."""


class SourceStalled(SourceError):
    """The stream is connected, but sent nothing within the time-out."""


class SourceRefused(SourceError):
    """The server wants other credentials; repeating the attempt does not help."""


class SourceUnreadable(SourceError):
    """The source is there, but is not a video that can be read."""


class ModelError(StreetloopError):
    """A model file cannot be used."""


class ModelNotFound(ModelError):
    """The model is neither here nor to be fetched."""


class ModelUnsupported(ModelError):
    """The file is readable, but not a detector that streetloop can run."""


class DatasetError(StreetloopError):
    """A dataset cannot be found, read or made."""


class DatasetInvalid(DatasetError):
    """A dataset is not fit to learn from.

    Attributes:
        faults: Everything that is wrong, one sentence each.
    """

    def __init__(self, message: str, faults: list[str] | None = None) -> None:
        super().__init__(message)
        self.faults = faults or []


class TooFewToJudge(DatasetInvalid):
    """A dataset has too few frames to judge a candidate by; more labels help."""


class TrainingError(StreetloopError):
    """A training ended without a model."""


class ClusterError(StreetloopError):
    """Ray did not start on this machine."""


class ProcessDied(StreetloopError):
    """A process that worked for this one ended before it had an answer."""


class RegistryError(StreetloopError):
    """The registry of models did not answer, or does not know what it was asked for."""


class VersionUnknown(RegistryError, ModelNotFound):
    """The registry has no version of that number or alias."""


class DetectorError(StreetloopError):
    """The detector did not answer for a batch."""


class AnswerLate(DetectorError):
    """No answer came in the time that there was."""


class AnswerInvalid(DetectorError):
    """An answer that cannot be right: values that are not numbers, or of another shape."""


class RolloutError(StreetloopError):
    """A rollout cannot be started or moved."""


class LearningError(StreetloopError):
    """A learning run cannot be begun or moved."""


class StoreError(StreetloopError):
    """The object store refused or lost an operation."""


class BackupError(StreetloopError):
    """A backup could not be made, or is not what it was when it was made."""


class LedgerError(StreetloopError):
    """The ledger cannot be opened, read or written."""


class LedgerUrlInvalid(LedgerError, ConfigError):
    """The URL of the ledger is wrong."""


class LeaseLost(LedgerError):
    """Another process runs the application of the ledger now; this one may not write any more."""


class LabelerError(StreetloopError):
    """The labeler could not be reached, or did not answer; trying again may help."""


class LabelerRefused(LabelerError):
    """The labeler refuses the token or the project; repeating the attempt does not help."""


class LanguageModelError(StreetloopError):
    """A language model did not answer, or not in a way that can be used."""


class EventSinkError(StreetloopError):
    """An event sink did not take what was sent; trying again may help.

    Attributes:
        taken: How many of the first messages of a batch it took before.
    """

    def __init__(self, message: str, taken: int = 0) -> None:
        super().__init__(message)
        self.taken = taken


class QueueFull(StreetloopError):
    """Too much waits already; asking again later helps.

    Attributes:
        retry_after_s: When, in seconds from now.
    """

    def __init__(self, message: str, retry_after_s: int = 60) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotFound(StreetloopError):
    """What was named is not there."""


class ChangedMeanwhile(StreetloopError):
    """Somebody else has changed what was read before."""


class ImageUnreadable(StreetloopError):
    """Bytes that should be an image cannot be decoded."""


class InputRejected(StreetloopError):
    """Something sent over HTTP is not acceptable."""


class InputTooLarge(InputRejected):
    """Something sent over HTTP is too large."""
