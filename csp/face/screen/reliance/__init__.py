"""Parts of the page *What it leans on*."""
