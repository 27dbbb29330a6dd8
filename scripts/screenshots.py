"""Takes the pictures of the pages that the docs show, from a running app: docs/images/*.png at 1440 x 900.

Usage: csp demo --no-browser &  then  python scripts/screenshots.py [--address URL] [--run demo] [--neuron 17]
       [--out docs/images] [--width 1440] [--dark]
"""

import argparse
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Page, sync_playwright

SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"
GRIDS = (
    "contrastive-grid",
    "neuron-rows",
    "results",
    "neurons-behind",
    "changes",
    "class-push",
    "present",
    "audit-artefacts",
    "reliance-table",
)
TONES = ((194, 85, 0), (0, 114, 178), (255, 255, 255), (247, 222, 170), (196, 222, 238), (0, 158, 115))
"""Orange and blue of the words, white, orange and blue of the chips, green of the curves."""
ANY_PICTURE = ", ".join([*(f".st-key-{grid} img[src]" for grid in GRIDS), ".st-key-run-demo"])


def take(page: Page, address: str, out: Path) -> None:
    """Opens the address, waits until all is drawn, saves what the screen shows."""
    page.goto(address)
    page.wait_for_selector(ANY_PICTURE)
    page.wait_for_selector(SETTLED)
    page.wait_for_timeout(1500)
    page.wait_for_selector("[class*=st-key-waiting-]", state="detached")
    page.wait_for_timeout(500)
    with Image.open(BytesIO(page.screenshot())) as shot:
        small(shot.convert("RGB")).save(out, optimize=True)
    print(f"{out}: {out.stat().st_size / 1000:.0f} kB")


def small(shot: Image.Image) -> Image.Image:
    """The picture in 256 colours: most are of the photographs, but the tones of the app stay as they are."""
    usual = shot.quantize(256 - len(TONES)).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*(part for tone in TONES for part in tone), *usual])
    return shot.quantize(palette=palette, dither=Image.Dither.NONE)


def main() -> None:
    """Each page, or those of `--only`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="http://127.0.0.1:8501")
    parser.add_argument("--run", default="demo")
    parser.add_argument("--neuron", default="17")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "images")
    parser.add_argument("--only", nargs="*", help="names of pages; all if left out")
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    run = {"run": options.run}
    pages = {
        "start": f"/?{urlencode(run)}",
        "neurons": f"/neurons?{urlencode(run | {'sort': 'clear'})}",
        "neuron": f"/neuron?{urlencode(run | {'neuron': options.neuron})}",
        "compare": f"/compare?{urlencode(run | {'what': 'gammas'})}",
        "classes": f"/classes?{urlencode(run)}",
        "reliance": f"/reliance?{urlencode(run)}",
        "search": f"/search?{urlencode(run | {'query': 'blue-white veil, -ruler'})}",
        "try": f"/try?{urlencode(run | {'image': 12})}",
        "review": f"/review?{urlencode(run)}",
        "audit": f"/audit?{urlencode(run | {'view': 'artefacts'})}",
        "runs": "/runs",
        "present": f"/present?{urlencode(run | {'step': 3})}",
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=options.chromium, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(
            viewport={"width": options.width, "height": 900},
            color_scheme="dark" if options.dark else "light",
        )
        for name in options.only or pages:
            take(page, options.address + pages[name], options.out / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
