"""What the list of runs says of each."""

from csp.work.runs.listing import run_facts


def test_what_is_said_of_one_layer_is_said_once() -> None:
    (saes,) = (facts for facts in run_facts() if facts.name == "demo-saes")
    for layer in ("layer4.topk", "layer4.relu"):
        (note,) = [remark for remark in saes.remarks if remark.startswith(f"{layer}: ")]
        assert "positions held out" in note and "on 32 images of this run" in note
