"""The exceptions that a vendor's module defines."""

from types import ModuleType


def errors_of(module: ModuleType) -> list[type[Exception]]:
    """Every exception class that a module itself defines, warnings aside."""
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Exception)
        and not issubclass(value, Warning)
        and value.__module__ == module.__name__
    ]
