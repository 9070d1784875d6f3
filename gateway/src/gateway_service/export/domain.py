"""Which services hold something about a person, and where each tells it."""

from gateway_service.home.domain import Part

PARTS = (
    Part("identity", "identity", "/identity/v1/me/export"),
    Part("acceptance", "acceptance", "/acceptance/v1/me/export?limit=100"),
    Part("certificates", "certificates", "/certificates/v1/me/export?limit=100"),
    Part("hotline", "hotline", "/hotline/v1/me/export?limit=100"),
    Part("evaluation", "evaluation", "/evaluation/v1/me/export?limit=100"),
)

# Within the edge's time for an answer: a service that takes longer is named as one that did not answer.
PART_SECONDS = 10.0
