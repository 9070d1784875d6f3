"""The keys with which services prove themselves to identity (``private_key_jwt``, RFC 7523)."""

import json
from collections.abc import Iterable
from pathlib import Path

from joserfc.jwk import ECKey

from lianban_local.state import StateFolder, write_private

CLIENTS_FILE = "clients.json"


def key_file(state: StateFolder, client_id: str) -> Path:
    """The private JWK (ES256) of this client, made on first use."""
    file = state.folder("keys") / f"{client_id}.jwk"
    if not file.exists():
        key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
        write_private(file, json.dumps(key.as_dict(private=True)))
    return file


def write_clients(state: StateFolder, client_ids: Iterable[str]) -> Path:
    """What identity may know of them: a JSON list of ``{client_id, service, jwks}`` with the public parts."""
    clients = []
    for client_id in client_ids:
        key = ECKey.import_key(json.loads(key_file(state, client_id).read_text()))
        public = {"keys": [key.as_dict(private=False)]}
        clients.append({"client_id": client_id, "service": client_id, "jwks": public})
    file = state.folder("keys") / CLIENTS_FILE
    write_private(file, json.dumps(clients, indent=1))
    return file
