"""The pooling as text: which layer it pools how."""

import pytest

from csp.errors import BadInputError
from csp.world.protocols.pooling import as_text, pooling_of, read_pooling


def test_a_layer_has_its_own_pooling_or_the_usual_one() -> None:
    text = "max, layer3.1=quantile:0.95, layer4=mean"
    assert read_pooling(text) == ("max", {"layer3.1": "quantile:0.95", "layer4": "mean"})
    assert [pooling_of(text, layer) for layer in ("layer2", "layer3.1")] == ["max", "quantile:0.95"]
    assert pooling_of("layer3=max", "layer4") == "mean"


@pytest.mark.parametrize("pooling", ["mean", "mean,b=max", "cls,b=quantile:0.5,c=max"])
def test_the_text_of_each_layers_pooling_reads_as_them(pooling: str) -> None:
    each = {layer: pooling_of(pooling, layer) for layer in "abcd"}
    assert {layer: pooling_of(as_text(each), layer) for layer in each} == each


def test_a_run_without_pooled_layers_is_opened_as_usual() -> None:
    assert as_text({}) == "mean"


@pytest.mark.parametrize(
    "text",
    ["", "median", "quantile", "quantile:1", "quantile:x", "mean,max", "=max", "a=max,a=mean", "a=b=c"],
)
def test_what_can_not_be_read_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(BadInputError, match="can't be read: write mean, max, patch, cls"):
        read_pooling(text)
