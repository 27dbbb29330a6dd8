"""Where the images of a dataset lie: a folder, an archive, the rows of a table, a server."""
