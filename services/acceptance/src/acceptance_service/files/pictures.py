"""Pictures without what the camera wrote into them: place, time, device, thumbnail."""

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

from acceptance_service.files.domain import LARGEST_PICTURE_PIXELS, PictureUnreadable

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG"}


def strip_metadata(content: bytes, media_type: str) -> bytes:
    """The same picture, turned as it was meant to be seen, encoded anew with nothing but pixels.

    Raises: PictureUnreadable.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=[_FORMATS[media_type]]) as picture:
                if picture.width * picture.height > LARGEST_PICTURE_PIXELS:
                    raise PictureUnreadable
                upright = ImageOps.exif_transpose(picture)
                clean = Image.new(upright.mode, upright.size)
                clean.paste(upright)
                if upright.mode == "P":
                    clean.putpalette(upright.getpalette() or [])
    except (
        UnidentifiedImageError,
        Image.DecompressionBombWarning,
        Image.DecompressionBombError,
        OSError,
        SyntaxError,
        ValueError,
    ) as error:
        raise PictureUnreadable from error
    out = io.BytesIO()
    if media_type == "image/jpeg":
        clean.convert("RGB").save(out, "JPEG", quality=92, optimize=True)
    else:
        clean.save(out, "PNG", optimize=True)
    return out.getvalue()
