"""Whom a client expects to come back: the ID token that it was given and shows again (OpenID Connect Core §3.1.2.1)."""

from identity_service.signing.handlers import SigningKeys

ID_TOKEN_TYPE = "JWT"  # noqa: S105 - RFC 7519 §5.1


def hinted_subject(keys: SigningKeys, client_id: str, hint: str | None) -> str | None:
    """The ``sub`` that an ID token of ours told this client, however long ago. Raises: ValueError for any other text."""
    if hint is None:
        return None
    claims = keys.read(hint, kind=ID_TOKEN_TYPE)
    if claims is None or claims["aud"] != client_id:
        raise ValueError("id_token_hint")
    return str(claims["sub"])
