"""The public keys that a client registers."""

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey

from service_common.errors import FieldProblem

_LEAST_RSA_BITS = 2048


def check_key_set(jwks: dict[str, object] | None) -> FieldProblem | None:
    """What is wrong with the public keys of a client, if anything.

    There is at least one, none is private or shared, each is of a kind that our algorithms sign with and long enough (FAPI 2.0
    §5.4.1), and where there are several, each is known by a ``kid`` of its own (OpenID Connect Core §10.1).
    """
    problem = FieldProblem(
        "/jwks",
        "invalid_jwks",
        "请提供仅含公钥的 JWK Set：P-256、Ed25519 或至少 2048 位的 RSA；有多个时 kid 须各不相同。",
        "Give a JWK Set of public keys: P-256, Ed25519, or RSA of at least 2048 bits; several need distinct kids.",
    )
    try:
        keys = KeySet.import_key_set(jwks or {}).keys  # type: ignore[arg-type]  # validated by the import itself
    except (JoseError, ValueError, TypeError, KeyError):
        return problem
    if not keys or not all(_can_verify(key) for key in keys) or len({key.kid for key in keys}) < len(keys):
        return problem
    return None


def _can_verify(key: Key) -> bool:
    if key.is_private:
        return False
    if isinstance(key, RSAKey):
        return key.raw_value.key_size >= _LEAST_RSA_BITS
    return isinstance(key, ECKey | OKPKey) and key.curve_name in ("P-256", "Ed25519")
