"""The calls to a Label Studio server; the only file that imports its SDK.

Written for the community edition, whose import call returns when the import is done.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import httpx
from label_studio_sdk import LabelStudio as Client
from label_studio_sdk.core.api_error import ApiError
from label_studio_sdk.core.parse_error import ParsingError
from pydantic import SecretStr, ValidationError

from streetloop.errors import LabelerError, LabelerRefused
from streetloop.host.proxies import require_http_client
from streetloop.secrets import redact

_PAGE = 200  # tasks a page
_HINTS = ("ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED")
_TASK = "id,data,total_annotations,cancelled_annotations"
_ANNOTATION = "annotations,result,was_cancelled,completed_by,created_at,updated_at"


@dataclass(frozen=True, slots=True)
class Project:
    """A project of Label Studio.

    Attributes:
        id: Its id.
        label_config: XML of its labeling interface.
        annotators: Annotations wanted per task.
        model_version: The version whose predictions it shows.
    """

    id: int
    label_config: str
    annotators: int
    model_version: str


class LabelStudioApi:
    """One Label Studio server, used with one token.

    Every method raises `LabelerRefused` where a retry cannot help (token, permission, request),
    and `LabelerError` where it may.

    Args:
        url: Of the server.
        token: Personal access token or legacy token; never shown.
        timeout_s: Longest silence of the server within one request.
    """

    def __init__(self, url: str, token: SecretStr, timeout_s: float) -> None:
        self.shown = redact(url.rstrip("/"))
        require_http_client(os.environ)
        # An automatic retry could import frames twice.
        options = {"timeout": timeout_s, "max_retries": 0}
        with self._translated("reading the token"):
            self._client: Client = Client(  # type: ignore[no-untyped-call]
                base_url=url.rstrip("/") + "/", api_key=token.get_secret_value(), **options
            )

    def project(self, title: str) -> Project | None:
        """The project of that title; the oldest, should there be several."""
        with self._translated("looking for the project"):
            listed: Any = self._client.projects.list(title=title)
            found = [project for project in listed if project.title == title]
        if not found:
            return None
        first = min(found, key=lambda project: int(project.id))
        config, annotators = first.label_config or "", first.maximum_annotations or 1
        return Project(int(first.id), config, annotators, first.model_version or "")

    def make_project(self, title: str, label_config: str, annotators: int) -> None:
        """Create a project, even if there is one of that title.

        Args:
            title: Its title.
            label_config: XML of the labeling interface.
            annotators: Annotations wanted per task.
        """
        with self._translated("making the project"):
            self._client.projects.create(
                title=title,
                label_config=label_config,
                maximum_annotations=annotators,
                description="Frames that streetloop asks about.",
            )

    def change_project(self, project: int, **changes: Any) -> None:
        """Change fields of a project, by their names in Label Studio."""
        with self._translated("changing the project"):
            self._client.projects.update(project, **changes)

    def tasks(self, project: int) -> Iterator[dict[str, Any]]:
        """Id, data and numbers of annotations of every task.

        Paged by id, so that concurrent deletions hide no task.
        """
        last = 0
        while page := self._page(project, [_more_than("id", last)], 1, _TASK):
            yield from page
            last = max(int(task["id"]) for task in page)

    def change_data(self, task: int, data: Mapping[str, Any]) -> None:
        """Replace the data of a task; its predictions and annotations stay.

        Args:
            task: Its id.
            data: All of its new data.
        """
        with self._translated("changing a frame"):
            self._client.tasks.update(str(task), data=dict(data))

    def delete_task(self, task: int) -> None:
        """Delete a task with its predictions and annotations."""
        with self._translated("deleting a frame"):
            self._client.tasks.delete(str(task))

    def annotated(self, project: int) -> Iterator[dict[str, Any]]:
        """Id, data and annotations of the tasks that were annotated or skipped.

        Pages may shift while annotators work: a task may come twice, or only at the next call.
        """
        some = [_more_than("total_annotations", 0), _more_than("cancelled_annotations", 0)]
        number = 1
        while page := self._page(project, some, number, f"id,data,{_ANNOTATION}"):
            yield from page
            number += 1

    def people(self) -> dict[int, str]:
        """Email, or else name, of every user by id."""
        with self._translated("listing users"):
            users: Any = self._client.users.list()
            return {int(user.id): user.email or user.username or "" for user in users}

    def upload(self, project: int, images: Mapping[str, bytes]) -> dict[str, str]:
        """Upload at most 100 JPEGs; returns their addresses on the server by name.

        Args:
            project: Its id.
            images: JPEG by file name.
        """
        files = {name: (f"{name}.jpg", jpeg, "image/jpeg") for name, jpeg in images.items()}
        with self._translated("uploading images"):
            # The SDK cannot upload files; this is its transport, with its token and timeouts.
            response = self._client._client_wrapper.httpx_client.request(
                f"api/projects/{project}/import",
                method="POST",
                params={"commit_to_project": False},
                files=dict(files),
            )
            if response.status_code >= httpx.codes.BAD_REQUEST:
                raise ApiError(status_code=response.status_code, body=response.text)
            ids = json.dumps(response.json().get("file_upload_ids"))
            # The SDK would send the ids as separate parameters, which the server ignores.
            kept: Any = self._client.files.list(
                project, request_options={"additional_query_parameters": {"ids": ids}}
            )
        # "upload/7/8b382a14-<name>.jpg"
        urls = {PurePosixPath(u.file).stem.rpartition("-")[2]: f"/data/{u.file}" for u in kept}
        if lost := [name for name in images if name not in urls]:
            raise LabelerError(f"Label Studio at {self.shown} lost the image of {lost[0]}")
        return urls

    def serve_folder(self, project: int, folder: str) -> None:
        """Let a project's tasks show files of a folder on the server; may be repeated.

        Args:
            project: Its id.
            folder: Absolute path on the server.
        """
        with self._translated("opening its local files"):
            storages = self._client.import_storage.local
            listed: Any = storages.list(project=project)
            if not any(storage.path == folder for storage in listed):
                storages.create(project=project, path=folder, title="streetloop")

    def add_tasks(self, project: int, requests: Sequence[dict[str, Any]]) -> None:
        """Import tasks, all or none.

        Args:
            project: Its id.
            requests: Tasks as Label Studio imports them.
        """
        every: Any = list(requests)
        with self._translated("importing frames"):
            taken = self._client.projects.import_tasks(project, request=every).task_count
        if taken != len(every):
            raise LabelerError(f"Label Studio at {self.shown} took {taken} of {len(every)} frames")

    def hook(self, project: int, url: str, headers: Mapping[str, str]) -> None:
        """Have ``url`` called when annotations change; replaces an earlier webhook of that URL.

        Args:
            project: Its id.
            url: The webhook, as Label Studio reaches it.
            headers: Sent with every call.
        """
        with self._translated("registering the webhook"):
            for former in self._client.webhooks.list(project=str(project)):
                if former.url == url and former.id is not None:
                    self._client.webhooks.delete(former.id)
            self._client.webhooks.create(
                url=url,
                project=project,
                actions=_HINTS,
                headers=dict(headers),
                is_active=True,
                send_for_all_actions=False,
                send_payload=False,
            )

    def _page(
        self, project: int, either: list[dict[str, Any]], page: int, fields: str
    ) -> list[dict[str, Any]]:
        query = {"filters": {"conjunction": "or", "items": either}, "ordering": ["tasks:id"]}
        with self._translated("listing frames"):
            try:
                listed: Any = self._client.tasks.list(
                    project=project,
                    page=page,
                    page_size=_PAGE,
                    query=json.dumps(query),
                    include=fields,
                    resolve_uri=False,
                )
            except ApiError as error:
                if error.status_code == httpx.codes.NOT_FOUND and page > 1:
                    return []  # past the last page, or the project is gone: the next call says so
                raise
            return [task.model_dump() for task in listed.items or []]

    @contextlib.contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        where = f"Label Studio at {self.shown}, {doing}"
        try:
            yield
        except ApiError as error:
            raise _ours(where, error) from error
        except httpx.TimeoutException as error:
            raise LabelerError(f"{where}: no answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise LabelerError(f"{where}: not reached ({redact(str(error))})") from error
        except (ParsingError, json.JSONDecodeError, ValidationError) as error:
            raise LabelerError(f"{where}: the answer is none of Label Studio's") from error


def _more_than(column: str, value: int) -> dict[str, Any]:
    return {"filter": f"filter:tasks:{column}", "operator": "greater", "type": "Number", "value": value}


def _ours(where: str, error: ApiError) -> LabelerError:
    status = error.status_code or 0
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return LabelerRefused(
            f"{where}: the token is wrong, expired or not allowed to; "
            "make another in Label Studio under Account & Settings"
        )
    body = error.body if isinstance(error.body, dict) else {}
    detail = str(body.get("validation_errors") or body.get("detail") or "")
    sentence = f"{where}: answered {status} {detail[:300]}".rstrip()
    refused = status in {httpx.codes.BAD_REQUEST, httpx.codes.REQUEST_ENTITY_TOO_LARGE}
    return LabelerRefused(sentence) if refused else LabelerError(sentence)
