"""The best labels of many neurons, as commands print them."""

import numpy as np
import pytest

from csp.errors import BadInputError
from csp.keeping.home import result_cache_folder
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import Explorer
from csp.work.models.reopen import run_encoder
from csp.work.neurons.label_lists import label_lists


def test_semanticlens_may_look_at_what_texts_have_beyond_the_empty_template(indexed: Run) -> None:
    explorer, layer = Explorer(indexed, ResultCache(result_cache_folder())), indexed.layers[0]
    options, parameters = explorer.options(), indexed.manifest.parameters
    (found,) = label_lists(explorer, {layer: [0]}, "semanticlens", options, 3, subtract_template=True)
    encoder = run_encoder(indexed).model
    empty = encoder.embed_texts([""], parameters.templates, parameters.renormalise)[0]
    examples, _ = explorer.examples(layer, 0, options)
    mean = indexed.embeddings[examples.activating].mean(axis=0, dtype=np.float64)
    assert indexed.text_embeddings is not None
    beyond = indexed.text_embeddings - empty
    scores = beyond @ mean / np.linalg.norm(beyond, axis=1) / np.linalg.norm(mean)
    best = np.argsort(-scores)[:3]
    assert [row["label"] for row in found["labels"]] == indexed.vocabulary["text"].iloc[best].tolist()
    np.testing.assert_allclose([row["score"] for row in found["labels"]], scores[best], atol=1e-5)
    (plain,) = label_lists(explorer, {layer: [0]}, "semanticlens", options, 3)
    assert plain["labels"] != found["labels"]


@pytest.mark.parametrize(("method", "candidates"), [("csp", False), ("semanticlens", True)])
def test_it_is_subtracted_for_nothing_else(indexed: Run, method: str, candidates: bool) -> None:
    explorer = Explorer(indexed, ResultCache(result_cache_folder()))
    with pytest.raises(BadInputError, match="add --method semanticlens"):
        label_lists(
            explorer, {}, method, explorer.options(), 3, candidates=candidates, subtract_template=True
        )
