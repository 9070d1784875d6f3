"""The load for token endpoints: ``wrk`` with one thread, far from being the bottleneck (it sends 60,000 such requests/s).

A run ends after its seconds. No prepared body is sent twice: a run for which they did not last is refused, because wrk divides by
its whole time even when it stopped early.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

CONNECTIONS = 16

_DONE = """
local threads = {}
function setup(thread) table.insert(threads, thread) end
function done(summary, latency, _)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  local flows = threads[1]:get("flows") or summary.requests
  if threads[1]:get("exhausted") then io.write("EXHAUSTED\\n") end
  io.write(string.format("RESULT %d %d %d\\n", flows, summary.duration, bad + (threads[1]:get("strange") or 0)))
end
"""

_TOKENS = (
    """
local bodies, n, sent, headers = {}, 0, 0, {}
function init(args)
  headers["Host"] = args[2]
  headers["Content-Type"] = "application/x-www-form-urlencoded"
  if args[4] then headers["Authorization"] = args[4] end
  for body in io.lines(args[1]) do
    n = n + 1
    bodies[n] = wrk.format("POST", args[3], headers, body)
  end
end
function request()
  sent = sent + 1
  if n == 1 then return bodies[1] end
  if sent > n - 64 then exhausted = 1; wrk.thread:stop() end
  return bodies[sent]
end
"""
    + _DONE
)

# Answers come back to no particular connection: a code goes into a queue, and whoever asks next redeems it.
_FLOWS = (
    """
local asked, n, turn, codes, post, body = {}, 0, 0, {}, {}, ""
flows, strange = 0, 0
function init(args)
  body = args[5]
  post = {["Host"] = args[2], ["Content-Type"] = "application/x-www-form-urlencoded", ["Authorization"] = args[4]}
  path = args[3]
  for line in io.lines(args[1]) do
    local address, cookie = line:match("^(%S+)\\t(.*)$")
    n = n + 1
    asked[n] = wrk.format("GET", address, {["Host"] = args[2], ["Cookie"] = cookie})
  end
end
function request()
  local code = table.remove(codes)
  if code then return wrk.format("POST", path, post, body .. "&code=" .. code) end
  turn = turn % n + 1
  return asked[turn]
end
function response(status, headers, text)
  if status == 303 then
    local address = headers["location"] or headers["Location"] or ""
    local code = address:match("[?&]code=([^&]+)")
    if code then table.insert(codes, code) else strange = strange + 1 end
  elseif status == 200 then flows = flows + 1
  else strange = strange + 1 end
end
"""
    + _DONE
)


@dataclass(frozen=True)
class Run:
    """One run: answers per second, and what each cost the server's process (CPU milliseconds)."""

    per_second: float
    cpu_ms: float


class TokenLoad:
    """Sends token requests to one server."""

    def __init__(self, folder: Path, *, origin: str, token_path: str, pid: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._origin = origin
        self._path = token_path
        self._process = psutil.Process(pid)

    def tokens(self, bodies: Sequence[str], *, seconds: int, authorization: str | None = None) -> Run:
        """Each body once; one body alone again and again."""
        return self._run(_TOKENS, bodies, seconds, [authorization] if authorization else [])

    def flows(self, asked: Sequence[tuple[str, str]], body: str, *, seconds: int, authorization: str) -> Run:
        """From an authorization request (path, cookie) to its tokens. ``body`` redeems, but for the code."""
        lines = [f"{path}\t{cookie}" for path, cookie in asked]
        return self._run(_FLOWS, lines, seconds, [authorization, body])

    def _run(self, script: str, lines: Sequence[str], seconds: int, more: Sequence[str]) -> Run:
        """Raises: RuntimeError when an answer was not what it should be: a refused request is a cheap one."""
        program, data = self._folder / "script.lua", self._folder / "lines"
        program.write_text(script)
        data.write_text("\n".join(lines) + "\n")
        host = self._origin.removeprefix("http://")
        before = self._cpu_seconds()
        done = subprocess.run(
            ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "15s", "-s", str(program), self._origin, "--", str(data), host,
             self._path, *more],
            check=True, capture_output=True, text=True, timeout=seconds + 30,
        )  # fmt: skip
        spent = self._cpu_seconds() - before
        line = next((line for line in done.stdout.splitlines() if line.startswith("RESULT")), None)
        if line is None:
            raise RuntimeError(f"wrk failed: {done.stdout} {done.stderr}")
        if "EXHAUSTED" in done.stdout:
            raise RuntimeError(f"the prepared bodies did not last {seconds} s on {self._origin}")
        answers, microseconds, bad = map(int, line.split()[1:])
        if bad or not answers:
            raise RuntimeError(f"{bad} of {answers} answers of {self._origin} were not as they should be")
        return Run(answers / (microseconds / 1e6), 1000 * spent / answers)

    def _cpu_seconds(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)
