#!/usr/bin/env bash
# Makes every file under assets/ that is not written by hand. Each step resumes; run it again after a stop.
set -euo pipefail
cd "$(dirname "$0")/../.."
work="${CSP_HOME:-cache}/training"
python=.venv/bin/python
mkdir -p "$work"

$python scripts/demo/train_classifier.py
$python scripts/demo/train_clip.py
$python scripts/demo/render_probe.py "$work/probe"

run=assets/runs/demo
if [ ! -f "$run/manifest.json" ]; then
    $python -m csp index examples/demo.yaml
fi
$python -m csp evaluate "$run" --metric ground-truth
