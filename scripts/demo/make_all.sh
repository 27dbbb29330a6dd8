#!/usr/bin/env bash
# Makes every file under assets/ that is not written by hand. Each step resumes; run it again after a stop.
set -euo pipefail
cd "$(dirname "$0")/../.."
work="${CSP_HOME:-cache}/training"
python=.venv/bin/python
mkdir -p "$work"

$python -m scripts.demo.write_vocabulary
$python -m scripts.demo.train_classifier
$python -m scripts.demo.train_clip
$python -m scripts.demo.train_vlm
$python -m scripts.demo.evaluate_vlm
$python -m scripts.demo.render_probe "$work/probe"

run=assets/runs/demo
if [ ! -f "$run/manifest.json" ]; then
    $python -m csp index examples/demo.yaml
fi
if [ ! -d "$run/additions/class-push" ]; then  # else `csp index` did it
    $python -m csp push "$run" --in-place
fi
if [ ! -d "$run/additions/map" ]; then
    $python -m csp map "$run" --in-place
fi
$python -m csp evaluate "$run" --metric ground-truth --generator dermoscopy:drawn --in-place
for metric in simcorr stability descriptive; do
    $python -m csp evaluate "$run" --metric $metric --in-place
done

$python -m csp control "$run" --random-weights --in-place >/dev/null
$python -m csp label "$run" --facets --in-place >/dev/null
$python -m csp reliance "$run" --in-place >/dev/null

for mode in "" --activating-only; do
    $python -m csp candidates "$run" --vlm hf:assets/models/vlm --in-place $mode
done
$python -m scripts.demo.evaluate_candidates
$python -m csp evaluate "$run" --metric cosy --generator dermoscopy:drawn --in-place
$python -m csp evaluate "$run" --metric causal --layer layer4 --in-place
$python -m csp experiment examples/demo-experiment.yaml --in-place -o docs/experiment-demo.md

for kind in topk relu; do
    sae=assets/models/sae/$kind.safetensors
    if [ ! -f "$sae" ]; then
        mkdir -p assets/models/sae
        $python -m csp sae train "$run" --layer layer4 --kind $kind --latents 512 --active 16 --epochs 15 --batch 512 --out "$sae"
    fi
done
$python -m scripts.demo.render_probe "$work/probe-saes" --images 640
$python -m csp index examples/demo-saes.yaml
for metric in ground-truth simcorr stability; do
    $python -m csp evaluate demo-saes --metric $metric --in-place
done
