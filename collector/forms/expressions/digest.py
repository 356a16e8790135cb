"""digest(): the hashes that XForms names. static/js/digest.js computes the same ones in the page."""

import base64
import hashlib
import re

from collector.forms.expressions.environment import Env
from collector.forms.expressions.values import Value, to_text

# as hashlib calls them; in an expression "SHA-256" and "sha256" are the same
ALGORITHMS = ("md5", "sha1", "sha256", "sha384", "sha512")
ENCODINGS = ("base64", "hex")
HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def encoded(text: str) -> bytes:
    """Return the text as UTF-8; half an emoji becomes U+FFFD, as in a browser."""
    return HALF_CHARACTER.sub("\ufffd", text).encode()


def digest(env: Env, value: Value, algorithm: Value, encoding: Value = "base64") -> Value:
    """Hash a text; "" for an algorithm or encoding that does not exist."""
    name, form = to_text(algorithm).lower().replace("-", ""), to_text(encoding).lower()
    if name not in ALGORITHMS or form not in ENCODINGS:
        return ""
    # an author may ask for MD5 to join data that came so; nothing here rests on its strength
    hashed = hashlib.new(name, encoded(to_text(value)), usedforsecurity=False)
    return hashed.hexdigest() if form == "hex" else base64.b64encode(hashed.digest()).decode()


def text_seed(text: str) -> float:
    """Return the number that a text stands for as a seed: the first 64 bits of its SHA-256, signed, as ODK does."""
    first = int.from_bytes(hashlib.sha256(encoded(text)).digest()[:8], signed=True)
    return float(first % 2147483647 if first >= 0 else -(-first % 2147483647))
