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
    Scheme(
        "dicom",
        "csp.world.datasets.dicom:open_dataset",
        ("dicom:/path/to/export",),
        "all DICOM files below a folder, each frame a picture; nothing that names a patient is kept",
        path="",
    ),
    Scheme(
        "archive",
        "csp.world.datasets.archive:open_dataset",
        ("archive:/path/to/images.zip",),
        "a zip or tar file of images; folders in it are classes, a table in it says more",
        path="",
    ),
    Scheme(
        "webdataset",
        "csp.world.datasets.webdataset:open_dataset",
        ("webdataset:/path/to/train-{000..012}.tar",),
        "WebDataset shards: a picture with its .cls, .txt and .json",
        path="",
    ),
    Scheme(
        "hf",
        "csp.world.datasets.hugging_face:open_dataset",
        ("hf:/path/to/dataset", "hf:OWNER/NAME@REVISION#test"),
        "a dataset of Hugging Face: a folder of Parquet or Arrow files, or a name on the hub",
        path="",
    ),
)
