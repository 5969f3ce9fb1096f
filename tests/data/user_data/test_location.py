"""Files at an address: fetched once, verified, kept; from a server of this machine."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pipeline.data.user_data.location import located, sha256
from pipeline.data.user_data.read import from_file
from pipeline.config.errors import ConfigError
from pipeline.config.file_kinds import TableFile

CONTENT = b"x,y\n" + b"".join(b"%d,%d\n" % (i, i % 2) for i in range(60))
HASH = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server():
    """A server that has one file, a redirection to it and one out of it, and lists what was asked for."""

    class Handler(BaseHTTPRequestHandler):
        asked = []

        def do_GET(self):
            self.asked.append(self.path)
            if self.path in ("/moved.csv", "/out.csv"):
                self.send_response(302)
                self.send_header("Location", "/air.csv" if self.path == "/moved.csv" else "ftp://127.0.0.1/a.csv")
                self.end_headers()
                return
            found = self.path in ("/air.csv", "/gr%C3%B6%C3%9Fe%20b.csv?q=%C3%A4", "/short.csv", "/chunks.csv")
            self.send_response(200 if found else 404)
            if self.path == "/short.csv":
                self.send_header("Content-Length", str(len(CONTENT) + 7))
            if self.path == "/chunks.csv":
                self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            if self.path == "/chunks.csv":
                self.wfile.write(b"%x\r\n" % (len(CONTENT) + 7))
            self.wfile.write(CONTENT if found else b"nothing here")

        def log_message(self, *_):
            pass

    running = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    running.asked, running.address = Handler.asked, f"http://127.0.0.1:{running.server_port}"
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def test_a_file_is_fetched_once_and_verified_each_time(server, tmp_path):
    for _ in range(3):
        path = located(f"{server.address}/air.csv", HASH, tmp_path, schemes=("http",))
        assert path.read_bytes() == CONTENT and path.name.endswith("air.csv")
    assert server.asked == ["/air.csv"]
    path.write_bytes(CONTENT + b"more")
    assert located(f"{server.address}/air.csv", HASH, tmp_path, schemes=("http",)).read_bytes() == CONTENT
    assert server.asked == ["/air.csv"] * 2
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_only_https_is_fetched_unless_a_test_allows_more(server, tmp_path):
    with pytest.raises(ConfigError, match="found the scheme 'http'; allowed: https"):
        located(f"{server.address}/air.csv", HASH, tmp_path)
    assert server.asked == []
    assert located(f"{server.address}/moved.csv", HASH, tmp_path, schemes=("http",)).read_bytes() == CONTENT
    with pytest.raises(ConfigError, match="out.csv: cannot be fetched: .*ftp://127.0.0.1/a.csv"):
        located(f"{server.address}/out.csv", HASH[::-1], tmp_path, schemes=("http",))


@pytest.mark.parametrize(("path", "digest", "words"), [
    ("/air.csv", "0" * 64, f"air.csv: found the SHA-256 {HASH}; allowed: {'0' * 64}"),
    ("/else.csv", HASH, "/else.csv: cannot be fetched: 404"), (":1/a.csv", HASH, ":1/a.csv: cannot be fetched: .*refused"),
    *((path, HASH, f"{path}: cannot be fetched: it ended .*; try again") for path in ("/short.csv", "/chunks.csv"))])
def test_what_cannot_be_fetched_whole_is_said_in_words_and_nothing_is_kept(server, tmp_path, path, digest, words):
    address = f"{server.address if path[0] == '/' else 'http://127.0.0.1'}{path}"
    with pytest.raises(ConfigError, match=words):
        located(address, digest, tmp_path, schemes=("http",))
    assert list(tmp_path.iterdir()) == []


def test_other_letters_in_an_address(server, tmp_path):
    address = f"{server.address}/größe b.csv?q=ä"
    assert located(address, HASH, tmp_path, schemes=("http",)).read_bytes() == CONTENT
    assert server.asked == ["/gr%C3%B6%C3%9Fe%20b.csv?q=%C3%A4"]


@pytest.mark.parametrize("address", [
    "http://" + "a" * 64 + ".org/a.csv", "http://[a/a.csv", "http:///a.csv", "http://a..b/a.csv", "http://x:99999/a.csv",
    "http://127.0.0.1:port/a.csv", "http://a\nb/a.csv", "http://127.0.0.1:1/" + "a" * 5_000 + ".csv",
    "http://ä" + "ö" * 70 + ".org/a.csv"])
def test_an_address_that_is_none_is_named(tmp_path, address):
    with pytest.raises(ConfigError) as error:
        located(address, HASH, tmp_path, schemes=("http",))
    assert str(error.value).startswith(f"{address}: ") and list(tmp_path.iterdir()) == []


def test_a_data_set_at_an_address(server, project):
    entry = TableFile(file=f"{server.address}/air.csv", sha256=HASH, target="y")
    arrays = from_file(entry, [0], "params.yaml: data.air", schemes=("http",))
    assert str(arrays["about_sha256"]) == HASH and len(arrays["x"]) == 60
    assert list((project / ".fetched").iterdir())
    with pytest.raises(ConfigError, match="^params.yaml: data.air: http:.*allowed: https"):
        from_file(entry.model_copy(update={"sha256": "1" * 64}), [0], "params.yaml: data.air")


def test_the_hash_of_a_file(tmp_path):
    (tmp_path / "a").write_bytes(CONTENT)
    assert sha256(tmp_path / "a") == HASH
