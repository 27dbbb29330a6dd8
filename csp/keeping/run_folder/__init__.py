"""One run as a folder (docs/run-format.md): its manifest, arrays, tables, thumbnails, and writing it."""
