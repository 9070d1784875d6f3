"""QR codes for pages: SVG inside the page, so that the strict policy needs no exception for images or styles."""

import segno
from markupsafe import Markup


def qr_svg(text: str) -> Markup:
    """A QR code as an element that grows with the type. What it is for, the element around it says.

    Its strokes are attributes, which no content security policy concerns.
    """
    code = segno.make_qr(text, error="m")
    return Markup(code.svg_inline(border=4, light="#fff", omitsize=True))  # noqa: S704 - segno escapes
