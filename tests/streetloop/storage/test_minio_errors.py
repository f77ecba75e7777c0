from types import ModuleType

import minio.error
import pytest
import urllib3.exceptions

from streetloop.storage.minio import VENDOR_ERRORS
from tests.support.contracts.vendor_errors import errors_of

_OF_ADMINISTRATORS = {minio.error.MinioAdminException}
"""Raised by a client that streetloop does not use."""


@pytest.mark.parametrize("module", [minio.error, urllib3.exceptions], ids=lambda module: module.__name__)
def test_no_error_of_the_sdk_is_left_untranslated(module: ModuleType) -> None:
    raised = errors_of(module)
    assert len(raised) > 3
    assert {e for e in raised if not issubclass(e, VENDOR_ERRORS)} <= _OF_ADMINISTRATORS
