"""What a refusal says in ``WWW-Authenticate``: how to come back (RFC 6750 §3, RFC 9449 §7.1, RFC 9470 §3)."""

from fastapi import Request

from service_common import dpop
from service_common.auth import StepUpNeeded
from service_common.errors import DomainError, Unauthenticated


def challenge(request: Request, error: DomainError) -> str:
    """The challenge in the scheme that the request used, or has to use."""
    used_dpop = request.headers.get("authorization", "").lower().startswith("dpop ")
    scheme = (
        dpop.SCHEME if used_dpop or isinstance(error, dpop.InvalidProof | dpop.TokenIsBound) else "Bearer"
    )
    parameters = {}
    if error.code != Unauthenticated.code:  # without any token there is nothing wrong to name (RFC 6750 §3.1)
        parameters["error"] = error.code
    if isinstance(error, StepUpNeeded):
        parameters |= error.asked()
    if scheme == dpop.SCHEME:
        parameters["algs"] = " ".join(dpop.ALGORITHMS)
    written = ", ".join(f'{name}="{value}"' for name, value in parameters.items())
    return f"{scheme} {written}" if written else scheme
