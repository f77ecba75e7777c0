"""The control service by what it is about; `ControlService` puts the parts together."""
