"""Addresses that lead to other views: `link` for our elements, `neuron_params` for Streamlit's page links."""

from urllib.parse import urlencode


def link(page: str, /, **params: str | int) -> str:
    """The address of a page with these parameters, any names, as an `href` relative to the app."""
    return f"{page}?{urlencode(params)}"


def neuron_link(run: str, layer: str, neuron: int) -> str:
    """The address of the page of a neuron."""
    return link("neuron", run=run, layer=layer, neuron=neuron)


def neuron_params(run: str, layer: str, neuron: int) -> dict[str, str]:
    """What the address of a neuron's page says, for `st.page_link(..., query_params=...)`."""
    return {"run": run, "layer": layer, "neuron": str(neuron)}
