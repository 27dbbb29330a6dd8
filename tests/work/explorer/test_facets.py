"""The facets of a stored neuron: labels, shares and pairs of its own; kept once they are known."""

from csp.work.explorer.explorer import open_explorer
from csp.work.explorer.facets import facets, facets_in_words


def test_neurons_of_the_demo_have_facets_with_pictures_of_their_own() -> None:
    explorer = open_explorer("demo")
    layer = explorer.run.layers[-1]
    for neuron in range(0, explorer.run.layer(layer).neurons, 128):
        found = facets(explorer, layer, neuron, top=3)
        first = explorer.stored_labels.first_labels(layer).get(neuron)
        assert bool(found) == (first is not None)
        assert all(1 <= len(one.labels) <= 3 and 0 <= one.share <= 1 for one in found)
        assert all(one.label.startswith("no ") for one in found if one.absent)
        activating = [{pair.activating.image for pair in one.pairs} for one in found]
        assert sum(map(len, activating)) == len(set().union(*activating))
        assert facets_in_words(found).count(", also ") == max(len(found) - 1, 0)
        assert facets(explorer, layer, neuron, top=3) == found
