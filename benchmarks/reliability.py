"""A reliability diagram as an SVG picture: what was said, against how often it was true."""

SIZE, MARGIN = 320, 48
INK, MARK = "#555", "#0072b2"


def reliability_svg(bins: list[tuple[int, float, float]]) -> str:
    """`bins`: labels, mean chance and share that is true; a dot's area grows with the labels."""
    end = MARGIN + SIZE
    most = max(count for count, _, _ in bins)
    dots = "".join(
        f'<circle cx="{_x(said):.1f}" cy="{_y(true):.1f}" r="{3 + 9 * (count / most) ** 0.5:.1f}" '
        f'fill="{MARK}" fill-opacity="0.75"><title>{count} labels: said {said:.2f}, true {true:.2f}</title>'
        "</circle>"
        for count, said, true in bins
    )
    ticks = "".join(
        f'<text x="{_x(at):.0f}" y="{_y(0) + 18:.0f}" text-anchor="middle">{at:g}</text>'
        f'<text x="{MARGIN - 8}" y="{_y(at) + 4:.0f}" text-anchor="end">{at:g}</text>'
        for at in (0, 0.5, 1)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{end + 16}" height="{end + 24}" '
        f'font-family="sans-serif" font-size="12" fill="{INK}">'
        "<title>Reliability of the chance that a first label is true</title>"
        f'<rect width="100%" height="100%" fill="#fff"/>'
        f'<rect x="{MARGIN}" y="{MARGIN - 32}" width="{SIZE}" height="{SIZE}" fill="none" stroke="{INK}"/>'
        f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="{INK}" stroke-dasharray="4"/>'
        f"{dots}{ticks}"
        f'<text x="{MARGIN + SIZE / 2}" y="{_y(0) + 38:.0f}" text-anchor="middle">chance that was said</text>'
        f'<text transform="translate(14 {MARGIN - 32 + SIZE / 2}) rotate(-90)" text-anchor="middle">'
        "share that is true</text></svg>\n"
    )


def _x(share: float) -> float:
    return MARGIN + SIZE * share


def _y(share: float) -> float:
    return MARGIN - 32 + SIZE * (1 - share)
