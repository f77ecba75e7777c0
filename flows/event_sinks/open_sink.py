"""The sink that a configuration describes; its library is imported here and not before."""

from flows.event_sinks.detections.detection_stream import DetectionSink
from flows.event_sinks.event_sink import EventSink
from streetloop.alerting.sink_config import EventSinkConfig


def open_sink(config: EventSinkConfig) -> EventSink:
    """Make a sink; it connects when it is given something to send.

    Args:
        config: With the values of its variables filled in.
    """
    if config.type == "mqtt":
        from flows.event_sinks.adapters.mqtt import MqttSink

        return MqttSink(config)
    if config.type == "kafka":
        from flows.event_sinks.adapters.kafka import KafkaSink

        return KafkaSink(config)
    if config.type == "email":
        from flows.event_sinks.adapters.mail import MailSink

        return MailSink(config)
    from flows.event_sinks.adapters.webhook import WebhookSink

    return WebhookSink(config)


def open_detection_sink(config: EventSinkConfig) -> DetectionSink:
    """Make a sink for detections alone; it connects when it is given something to send.

    Args:
        config: Of MQTT or Kafka, with the values of its variables filled in.
    """
    if config.type == "mqtt":
        from flows.event_sinks.adapters.mqtt import MqttSink

        # The connection of events says that streetloop is there.
        return MqttSink(config.model_copy(update={"discovery": None}), announces=False)
    from flows.event_sinks.adapters.kafka import KafkaSink

    return KafkaSink(config)
