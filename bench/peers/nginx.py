"""nginx on loopback with sensible production settings: the upstream of the edge benchmark, and its peer.

One worker process each; Envoy has a thread for each core, as it is shipped: what favour there is, is the edge's.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

_COMMON = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 4096; }}
http {{
  access_log {access_log};
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000; keepalive_timeout 75s; tcp_nodelay on;
  {body}
}}
"""

_UPSTREAM = """
  server {{
    listen 127.0.0.1:{port};
    default_type application/json;
    location = /identity/jwks {{ return 200 '{jwks}'; }}
    location / {{ return 200 '{answer}'; }}
  }}
"""

_PROXY = """
  upstream service {{ server 127.0.0.1:{upstream_port}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://service;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
  }}
"""


def available() -> bool:
    return shutil.which("nginx") is not None


@contextmanager
def upstream(folder: Path, *, port: int, answer: str, jwks: str) -> Iterator[None]:
    """Answers every path with the same small JSON."""
    with _nginx(folder, port, _UPSTREAM.format(port=port, answer=answer, jwks=jwks), access_log="off"):
        yield


@contextmanager
def proxy(folder: Path, *, port: int, upstream_port: int) -> Iterator[None]:
    """Proxies everything, with keep-alive on both sides and an access log as Envoy has one."""
    body = _PROXY.format(port=port, upstream_port=upstream_port)
    with _nginx(folder, port, body, access_log=f"{folder}/access.log"):
        yield


@contextmanager
def _nginx(folder: Path, port: int, body: str, *, access_log: str) -> Iterator[None]:
    folder.mkdir(parents=True)
    config = folder / "nginx.conf"
    config.write_text(_COMMON.format(folder=folder, access_log=access_log, body=body))
    process = subprocess.Popen(["nginx", "-c", str(config), "-p", str(folder)])
    try:
        _wait(port, process)
        yield
    finally:
        process.terminate()
        process.wait(10)


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    give_up = time.monotonic() + 10
    while time.monotonic() < give_up and process.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"nginx did not start on port {port}")
