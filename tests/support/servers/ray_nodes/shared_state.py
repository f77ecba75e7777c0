"""State that several nodes reach: settings that name real servers."""

from minio import Minio

from tests.support.servers.gateway import Gateway
from tests.support.servers.mlflow_server import MlflowServer
from tests.support.servers.postgres import Postgres

QUICK = {"CAMERAS_PER_WORKER": "1", "REPLICAS_MIN": "2", "LOG_FLUSH_S": "2", "APP_PORT": "0"}
"""More settings: a worker a camera, two replicas, logs that are written soon."""


def shared_state(store: Gateway, database: Postgres, registry: MlflowServer, bucket: str) -> dict[str, str]:
    """Environment variables of state kept by servers: an empty ledger, a bucket, a registry."""
    access = store.access
    key, secret = access.access_key.get_secret_value(), access.secret_key.get_secret_value()
    client = Minio(store.endpoint.removeprefix("http://"), access_key=key, secret_key=secret, secure=False)
    if not client.bucket_exists(bucket):
        client.make_bucket(bucket)
    return {
        "STREETLOOP_LEDGER_URL": database.empty(),
        "STREETLOOP_STORE_URL": f"s3://{bucket}",
        "STREETLOOP_TRACKING_URI": registry.url,
        "STREETLOOP_S3_ENDPOINT": store.endpoint,
        "STREETLOOP_S3_ACCESS_KEY": key,
        "STREETLOOP_S3_SECRET_KEY": secret,
        **{f"STREETLOOP_{name}": value for name, value in QUICK.items()},
    }
