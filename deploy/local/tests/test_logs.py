from pathlib import Path

from lianban_local import logs


def test_a_long_log_is_put_aside_at_the_next_start(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    for content in ("first", "second", "third", "fourth"):
        log.write_text(content * 10)
        logs.rotate(log, limit=20)
    assert not log.exists()
    kept = {file.name: file.read_text()[:6] for file in tmp_path.iterdir()}
    assert kept == {"one.log.1": "fourth", "one.log.2": "thirdt"}


def test_a_short_log_is_continued(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    log.write_text("short")
    logs.rotate(log, limit=20)
    assert log.read_text() == "short"


def test_a_log_cut_while_it_is_written_goes_on_from_its_start(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    with logs.appending(log) as writer:
        writer.write(b"x" * 100)
        logs.shorten(log, limit=20)
        writer.write(b"after")
    assert log.read_bytes() == b"after"
    assert (tmp_path / "one.log.1").read_bytes() == b"x" * 100


def test_following_gives_the_last_lines_then_new_whole_lines(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    log.write_text("old\n")
    lines = logs.follow([log])
    assert next(lines) == ("one", "old")
    with log.open("a") as stream:
        stream.write("new\nunfini")
    assert next(lines) == ("one", "new")
    with log.open("a") as stream:
        stream.write("shed\n")
    assert next(lines) == ("one", "unfinished")
