"""``streetloop dataset``: labeled data of other tools, and the versions of one's own."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.context import settings_of
from flows.cli.models.options import Images
from flows.cli.output import Json, borderless, print_json, results, say

app = typer.Typer()
dataset_app = typer.Typer(no_args_is_help=True, help="Import, list, compare and export datasets.")
app.add_typer(dataset_app, name="dataset")

Digest = Annotated[str, typer.Argument(metavar="DIGEST", help="Digest of a dataset, or the start of it.")]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder that receives the files.")]


@dataset_app.command("import")
def import_(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The labels: a file or a folder.")],
    format_: Annotated[
        str,
        typer.Option(
            "--format", help="yolo, coco, label-studio, bdd100k, kitti, mot, or checkout for our own."
        ),
    ],
    images: Images = None,
    split: Annotated[
        str | None, typer.Option(help="Split of all images; by default as the name says, else val.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Read labeled data of another tool into the object store."""
    from flows.learning.dataset_catalog import import_dataset

    summary = import_dataset(settings_of(context), format_, path, images, split)
    for note in summary["notes"]:
        say(note)
    _print_summary(summary, as_json)


@dataset_app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List all datasets."""
    from streetloop.storage.open import open_store
    from train.data.catalog import list_datasets, summary_of

    found = [summary_of(dataset) for dataset in list_datasets(open_store(settings_of(context)))]
    if as_json:
        print_json(found)
        return
    if not found:
        results().print("no datasets yet: `streetloop dataset import` reads one")
        return
    table = borderless("digest", "purpose", "classes", "splits", numbers=("images",))
    for one in found:
        splits = ", ".join(f"{name} {count}" for name, count in one["splits"].items())
        table.add_row(one["digest"][:12], one["purpose"], _some(one["classes"]), splits, str(one["images"]))
    results().print(table)


@dataset_app.command()
def show(context: typer.Context, digest: Digest, as_json: Json = False) -> None:
    """Show what is in a dataset."""
    from streetloop.storage.open import open_store
    from train.data.catalog import summary_of
    from train.data.dataset import load_dataset

    _print_summary(summary_of(load_dataset(open_store(settings_of(context)), digest)), as_json)


@dataset_app.command()
def diff(
    context: typer.Context,
    digest: Digest,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The other one.")],
    as_json: Json = False,
) -> None:
    """Show what changed from one dataset to another."""
    from streetloop.storage.open import open_store
    from train.data.catalog import difference
    from train.data.dataset import load_dataset

    store = open_store(settings_of(context))
    found = difference(load_dataset(store, digest), load_dataset(store, other))
    if as_json:
        print_json(found)
        return
    for name in ("added", "removed", "relabeled", "moved"):
        results().print(f"{name}: {len(found[name])} images")
    for name in ("classes", "splits"):
        for key, (before, after) in found[name].items():
            results().print(f"{name} {key}: {before}, then {after}", markup=False)


@dataset_app.command()
def export(
    context: typer.Context,
    digest: Digest,
    folder: Folder,
    coco: Annotated[bool, typer.Option("--coco", help="Write COCO's JSON, one for each split.")] = False,
    yolo: Annotated[bool, typer.Option("--yolo", help="Write YOLO's data.yaml and text files.")] = False,
    as_json: Json = False,
) -> None:
    """Write a dataset for another tool."""
    from streetloop.errors import ConfigError
    from streetloop.storage.open import open_store
    from train.data.catalog import summary_of
    from train.data.dataset import load_dataset
    from train.data.formats import write_coco, write_yolo

    if coco == yolo:
        raise ConfigError("give one of --coco and --yolo")
    store = open_store(settings_of(context))
    dataset = load_dataset(store, digest)
    files = write_coco(dataset, store, folder) if coco else [write_yolo(dataset, store, folder)]
    _print_summary({**summary_of(dataset), "files": [str(file.absolute()) for file in files]}, as_json)


@dataset_app.command()
def checkout(context: typer.Context, digest: Digest, folder: Folder, as_json: Json = False) -> None:
    """Give a dataset back, byte for byte; `import --format checkout` reads it."""
    from streetloop.storage.open import open_store
    from train.data.catalog import summary_of
    from train.data.checkout import check_out
    from train.data.dataset import load_dataset

    store = open_store(settings_of(context))
    dataset = load_dataset(store, digest)
    check_out(dataset, store, folder)
    _print_summary(summary_of(dataset), as_json)


@dataset_app.command()
def prune(
    context: typer.Context,
    digests: Annotated[list[str], typer.Argument(metavar="DIGEST...", help="Datasets to remove.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    as_json: Json = False,
) -> None:
    """Remove datasets, and their images that no other dataset and no frame needs."""
    from flows.learning.dataset_catalog import prune_datasets

    removal = prune_datasets(settings_of(context), digests, only_look=dry_run)
    if as_json:
        print_json({"digest": list(removal.datasets), "images": len(removal.images), "removed": not dry_run})
        return
    word = "would be removed" if dry_run else "removed"
    results().print(f"{word}: {len(removal.datasets)} datasets, {len(removal.images)} images")


def _print_summary(summary: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(summary)
        return
    results().print(f"dataset {summary['digest']}", soft_wrap=True)
    results().print(f"  {summary['purpose']}, {summary['images']} images", soft_wrap=True, markup=False)
    for name in ("splits", "classes", "slices"):
        if summary[name]:
            words = ", ".join(f"{key} {count}" for key, count in summary[name].items())
            results().print(f"  {name}: {words}", soft_wrap=True, markup=False)
    for file in summary.get("files", ()):
        results().print(f"  {file}", soft_wrap=True, markup=False)


def _some(classes: dict[str, int], most: int = 6) -> str:
    names = list(classes)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
