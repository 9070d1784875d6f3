"""Token buckets in Envoy: one per subject of a verified token, one per address for everybody else."""

from collections.abc import Mapping
from typing import Any

from gateway_service.edge.routes import Bucket, RateClass, RateLimit
from gateway_service.edge.tokens import KIND_HEADER, SUBJECT_HEADER

Json = dict[str, Any]

# Buckets kept at once, the least recently used is forgotten first; about 1 KiB each.
_KEPT_BUCKETS = 20_000
_ROUTE_METADATA = "lianban.edge"
# Of an IPv6 address: one line has all that begin with the same 64 bits (RFC 6177 §2), and could wear out a bucket for each.
_LINE = 64
# A bucket's ``per_second`` arrives at once: who is refused need not wait longer than this.
_FILL_INTERVAL = "1s"


def rate_limit_filter(limits: Mapping[RateClass, RateLimit], *, shared: bool) -> Json:
    """The ``local_ratelimit`` filter. ``shared`` divides each bucket among the replicas of the edge."""
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    config: Json = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": "edge",
        # Of the whole edge, consulted only where no descriptor fits. Never the limit that people meet.
        "token_bucket": _bucket(Bucket(1_000_000, 1_000_000)),
        "always_consume_default_token_bucket": False,
        "filter_enabled": {**always, "runtime_key": "edge.rate_limit_enabled"},
        "filter_enforced": {**always, "runtime_key": "edge.rate_limit_enforced"},
        "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
        "max_dynamic_descriptors": _KEPT_BUCKETS,
        "rate_limits": _choices(),
        "descriptors": [
            one for rate_class, limit in limits.items() for one in _descriptors(rate_class, limit)
        ],
    }
    if shared:
        config["local_cluster_rate_limit"] = {}
    return {"name": "envoy.filters.http.local_ratelimit", "typed_config": config}


def _descriptors(rate_class: RateClass, limit: RateLimit) -> list[Json]:
    by_kind = {"person": limit.people, "staff": limit.people, "client": limit.clients}
    by_subject = [_descriptor(rate_class, kind, "subject", bucket) for kind, bucket in by_kind.items()]
    return [*by_subject, _descriptor(rate_class, "anonymous", "masked_remote_address", limit.addresses)]


def _descriptor(rate_class: RateClass, kind: str, who: str, bucket: Bucket) -> Json:
    entries = [{"key": "class", "value": rate_class.value}, {"key": "kind", "value": kind}, {"key": who}]
    return {"entries": entries, "token_bucket": _bucket(bucket)}


def _bucket(bucket: Bucket) -> Json:
    return {"max_tokens": bucket.burst, "tokens_per_fill": bucket.per_second, "fill_interval": _FILL_INTERVAL}


def class_of_route(rate_class: RateClass) -> Json:
    """Metadata of a route that names its class."""
    return {"filter_metadata": {_ROUTE_METADATA: {"class": rate_class.value}}}


def _choices() -> list[Json]:
    """Which bucket a request draws from: its subject's, else its address's. A choice that lacks a part does not apply."""
    of_class: Json = {
        "metadata": {
            "descriptor_key": "class",
            "metadata_key": {"key": _ROUTE_METADATA, "path": [{"key": "class"}]},
            "source": "ROUTE_ENTRY",
        }
    }
    without_token: Json = {
        "header_value_match": {
            "descriptor_key": "kind",
            "descriptor_value": "anonymous",
            "expect_match": False,
            "headers": [{"name": SUBJECT_HEADER, "present_match": True}],
        }
    }
    return [
        {"actions": [of_class, _header("kind", KIND_HEADER), _header("subject", SUBJECT_HEADER)]},
        {"actions": [of_class, without_token, {"masked_remote_address": {"v6_prefix_mask_len": _LINE}}]},
    ]


def _header(key: str, name: str) -> Json:
    return {"request_headers": {"descriptor_key": key, "header_name": name}}


def standard_names() -> Json:
    """Shows the state of the bucket under the names of the IETF draft instead of Envoy's own."""
    names = ("limit", "remaining", "reset")
    copied = [
        {
            "append": {
                "header": {"key": f"ratelimit-{name}", "value": f"%RESP(x-ratelimit-{name})%"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        }
        for name in names
    ]
    removed = [{"remove": f"x-ratelimit-{name}"} for name in names]
    return {
        "name": "envoy.filters.http.header_mutation",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
            "mutations": {"response_mutations": [*copied, *removed]},
        },
    }
