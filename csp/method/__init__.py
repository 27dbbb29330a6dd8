"""Floor 1: the method. Pure functions on arrays; no files, models or screens.

Letters in array shapes: `n` images, `c` neurons, `k` examples, `d` embedding dimensions, `t` texts,
`m` stored neighbours, `a` attributes. Embeddings are assumed to have unit length.
"""
