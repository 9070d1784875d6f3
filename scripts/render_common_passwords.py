"""Writes identity's list of common passwords from the one that zxcvbn publishes (MIT, Dropbox, from leaked sets).

    uv run --no-project --with zxcvbn==4.5.0 scripts/render_common_passwords.py

Each password becomes the first six bytes of its SHA-256, sorted: 180 KB that are searched in place, without loading them.
"""

import hashlib
from pathlib import Path

from zxcvbn.frequency_lists import FREQUENCY_LISTS

_OUT = Path(__file__).parents[1] / "services/identity/src/identity_service/accounts/data/common_passwords.bin"
_BYTES = 6
# Well known here and long enough to pass the length rule, but missing from a list that is mostly English.
_WELL_KNOWN_HERE = (
    *("0123456789", "9876543210", "0987654321", "5201314520", "1314520520", "5203344520", "1314521521"),
    *(
        "woaini",
        "woaini1314",
        "woaini520",
        "woaini1314520",
        "woaiwojia",
        "nihao123456",
        "zhongguo",
        "administrator",
    ),
    *(
        "xiaoming",
        "beijing2008",
        "changsha",
        "xiangtan",
        "hunan",
        "a1b2c3d4e5",
        "qwer",
        "asdf",
        "zxcv",
        "mima",
    ),
)


def main() -> None:
    """Render the file anew; the same list gives the same bytes."""
    passwords = {word.casefold() for word in (*FREQUENCY_LISTS["passwords"], *_WELL_KNOWN_HERE)}
    records = sorted(hashlib.sha256(word.encode()).digest()[:_BYTES] for word in passwords)
    _OUT.write_bytes(b"".join(records))
    print(f"{len(records)} passwords, {_OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
