"""Adapters to probe datasets, and the schemes that name them."""

from csp.world.specs.registry import Scheme

SCHEMES = (
    Scheme(
        "folder",
        "csp.world.datasets.image_folder:open_dataset",
        ("folder:/path/to/images",),
        "all images below a folder; folders in it are classes",
        path="",
    ),
    Scheme(
        "csv",
        "csp.world.datasets.csv_table:open_dataset",
        ("csv:/path/to/images.csv",),
        "a table with one image a row, with its class and attributes",
        path="",
    ),
)
