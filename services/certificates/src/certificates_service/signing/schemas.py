"""HTTP shapes of the public keys."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class KeySetRead(BaseModel):
    """A JWK Set (RFC 7517)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "keys": [
                        {
                            "kty": "EC",
                            "crv": "P-256",
                            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                            "use": "sig",
                            "alg": "ES256",
                            "kid": "kQ0hkrK0Hk4Ea3w0n2D9xH8Wq1k3w8yJmZy0mXn3x2c",
                        }
                    ]
                }
            ]
        }
    )

    keys: list[dict[str, Any]]
