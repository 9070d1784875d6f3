"""The public keys that a client registers."""

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from service_common.errors import FieldProblem

_SIGNING_KEYS = {"EC", "OKP", "RSA"}


def check_key_set(jwks: dict[str, object] | None) -> FieldProblem | None:
    """What is wrong with the public keys of a client, if anything: at least one, none of them private or shared."""
    problem = FieldProblem(
        "/jwks",
        "invalid_jwks",
        "请提供仅含公钥的 JWK Set。",
        "Give a JWK Set of public keys (EC, OKP or RSA).",
    )
    try:
        keys = KeySet.import_key_set(jwks or {}).keys  # type: ignore[arg-type]  # validated by the import itself
    except (JoseError, ValueError, TypeError, KeyError):
        return problem
    if not keys or any(key.key_type not in _SIGNING_KEYS or key.is_private for key in keys):
        return problem
    return None
