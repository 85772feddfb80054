from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme
from feedserver import Answer, Asked, FeedServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import newsgen
from newsgen.fetch.network.client import WORKERS, Client, Failure, Limits, Request, Response, Validators

Make = Callable[..., Client]
FEED = b"<rss><channel><title>News</title></channel></rss>"


def ok(result: Response | Failure) -> Response:
    assert isinstance(result, Response), result
    return result


def failed(result: Response | Failure) -> Failure:
    assert isinstance(result, Failure), result
    return result


def redirect(url: str, status: int = 302) -> Answer:
    return Answer(b"moved", status, {"Location": url})


def test_an_answer(server: FeedServer, client: Make) -> None:
    headers = {"Content-Type": "application/atom+xml; charset=utf-8", "Cache-Control": "max-age=600"}
    url = server.add(
        "news.example/feed", Answer(FEED, headers=headers, etag='"1"', modified="Sat, 28 Nov 2026 09:00:00 GMT")
    )
    assert ok(client().get(url)) == Response(
        url=url,
        status=200,
        body=FEED,
        content_type="application/atom+xml; charset=utf-8",
        validators=Validators(url=url, etag='"1"', last_modified="Sat, 28 Nov 2026 09:00:00 GMT"),
        fresh_for=600,
    )


def test_what_the_server_sees(server: FeedServer, client: Make) -> None:
    url = server.add("news.example/feed?a=b&c=d%20e", FEED)
    ok(client(base_url="https://site.example/news/").get(f"{url}#top"))
    ok(client().get(url))
    first, second = server.asked
    assert first.headers == {
        "host": f"news.example:{server.port}",
        "user-agent": f"newsgen/{newsgen.__version__} (+https://site.example/news/)",
        "accept": "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5",
        "accept-encoding": "gzip, deflate, br",
    }
    assert second.headers["user-agent"] == f"newsgen/{newsgen.__version__}"


def test_nothing_is_taken_from_the_environment(
    server: FeedServer, client: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine news.example login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    ok(client().get(server.add("news.example/feed", FEED)))
    assert "authorization" not in server.asked[0].headers


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw-deflate", "br"])
@pytest.mark.parametrize("chunked", [False, True])
def test_compressed(server: FeedServer, client: Make, encoding: str, chunked: bool) -> None:
    body = FEED * 5000
    made = client()
    for number in range(2):
        url = server.add(f"news.example/{number}", Answer(body, encoding=encoding, chunked=chunked))
        assert ok(made.get(url)).body == body
    assert server.asked[0].connection == server.asked[1].connection


def test_not_modified(server: FeedServer, client: Make) -> None:
    day = "Sat, 28 Nov 2026 09:00:00 GMT"
    for number, named in enumerate([{"etag": '"1"'}, {"modified": day}, {"etag": 'W/"1"', "modified": day}]):
        url = server.add(f"news.example/{number}", Answer(FEED, headers={"Cache-Control": "max-age=60"}, **named))
        first = ok(client().get(url))
        again = ok(client().get(url, first.validators))
        assert (again.status, again.body, again.validators, again.fresh_for) == (304, b"", first.validators, 60)


def test_validators_may_change_with_304(server: FeedServer, client: Make) -> None:
    url = server.add("news.example/feed", Answer(raw=b'HTTP/1.1 304 Not Modified\r\nETag: "2"\r\n\r\n'))
    known = Validators(url=url, etag='"1"', last_modified="x")
    assert ok(client().get(url, known)).validators == Validators(url=url, etag='"2"', last_modified="x")


def test_validators_belong_to_one_url(server: FeedServer, client: Make) -> None:
    target = server.add("b.example/feed", Answer(FEED, etag='"1"'))
    url = server.add("a.example/feed", redirect(target))
    first = ok(client().get(url))
    assert first.url == target
    assert ok(client().get(url, first.validators)).status == 304
    assert ["if-none-match" in asked.headers for asked in server.asked] == [False, False, False, True]
    server.add("a.example/feed", redirect(server.add("c.example/feed", Answer(FEED, etag='"1"'))))
    assert ok(client().get(url, first.validators)).status == 200


def test_304_that_was_not_asked_for(server: FeedServer, client: Make) -> None:
    url = server.add("news.example/feed", Answer(status=304))
    for known in (Validators(), Validators(url=url)):
        assert failed(client().get(url, known)) == Failure(reason="news.example answers 304 Not Modified", status=304)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (404, "news.example answers 404 Not Found"),
        (500, "news.example answers 500 Internal Server Error"),
        (204, "news.example answers 204 No Content"),
        (299, "news.example answers 299"),
        (300, "news.example answers 300 Multiple Choices"),
    ],
)
def test_other_statuses(server: FeedServer, client: Make, status: int, reason: str) -> None:
    assert failed(client().get(server.add("news.example/feed", Answer(FEED, status)))) == Failure(
        reason=reason, status=status
    )


def test_gone(server: FeedServer, client: Make) -> None:
    url = server.add("news.example/feed", Answer(FEED, 410))
    assert failed(client().get(url)) == Failure(reason="news.example answers 410 Gone", status=410, gone=True)
    assert failed(client().get(server.add("a.example/", redirect(url, 301)))).gone
    assert not failed(client().get(server.add("a.example/", redirect(url, 302)))).gone


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_asks_to_wait_is_not_asked_again(server: FeedServer, client: Make, status: int) -> None:
    one = server.add("news.example/1", Answer(b"", status, {"Retry-After": "120"}))
    two, other = server.add("news.example/2", FEED), server.add("other.example/", FEED)
    made = client()
    assert failed(made.get(one)).retry_after == 120
    assert failed(made.get(two)).retry_after == 120
    ok(made.get(other))
    assert server.paths() == ["news.example/1", "other.example/"]


def test_503_without_a_time_says_nothing_about_the_rest_of_the_host(server: FeedServer, client: Make) -> None:
    made = client()
    failed(made.get(server.add("news.example/1", Answer(b"", 503))))
    ok(made.get(server.add("news.example/2", FEED)))


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects(server: FeedServer, client: Make, status: int) -> None:
    target = server.add("b.example/feed", FEED)
    found = ok(client().get(server.add("a.example/feed", redirect(target, status))))
    assert found.url == target
    assert found.moved == (target if status in (301, 308) else "")


def test_a_permanent_redirect_counts_only_from_the_start(server: FeedServer, client: Make) -> None:
    last = server.add("d.example/", FEED)
    third = server.add("c.example/", redirect(last, 301))
    second = server.add("b.example/", redirect(third, 302))
    first = server.add("a.example/", redirect(second, 301))
    assert ok(client().get(first)).moved == second
    assert ok(client().get(second)).moved == ""
    assert ok(client().get(third)).moved == last


@pytest.mark.parametrize(
    "location", ["/feed", "feed", "//a.example:{port}/feed", "HTTP://A.EXAMPLE:{port}/x/../feed#top"]
)
def test_relative_redirects(server: FeedServer, client: Make, location: str) -> None:
    target = server.add("a.example/feed", FEED)
    assert ok(client().get(server.add("a.example/", redirect(location.format(port=server.port))))).url == target


def test_a_redirect_in_utf8(server: FeedServer, client: Make) -> None:
    target = server.add("a.example/caf%C3%A9", FEED)
    raw = "HTTP/1.1 302 Found\r\nLocation: /café\r\nContent-Length: 0\r\n\r\n".encode()
    assert ok(client().get(server.add("a.example/", Answer(raw=raw)))).url == target


def test_redirects_are_bounded(server: FeedServer, client: Make) -> None:
    url = server.add("a.example/", redirect("/"))
    assert failed(client().get(url)).reason == "redirected more than 5 times"
    assert len(server.asked) == 6
    urls = [server.add("a.example/0", FEED)]
    for number in range(1, 7):
        urls.append(server.add(f"a.example/{number}", redirect(urls[-1])))
    ok(client().get(urls[5]))
    failed(client().get(urls[6]))


@pytest.mark.parametrize(
    "location",
    [
        "",
        "file:///etc/passwd",
        "ftp://b.example/",
        "javascript:alert(1)",
        "data:,x",
        "http://me:pass@b.example/",
        "http://[::1/",
    ],
)
def test_redirects_to_other_schemes(server: FeedServer, client: Make, location: str) -> None:
    reason = "a.example redirects to what is not an http(s) address"
    assert failed(client().get(server.add("a.example/", redirect(location)))).reason == reason


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "0x0a000001", "10.1", "[::ffff:10.0.0.1]"])
def test_redirects_to_private_addresses(server: FeedServer, client: Make, host: str) -> None:
    reason = failed(client().get(server.add("a.example/", redirect(f"http://{host}/", 301)))).reason
    assert "is not a public address" in reason or "not an http(s) address" in reason


@pytest.mark.parametrize(
    "url", ["", "feed", "file:///etc/passwd", "ftp://a.example/", "http://me:pass@a.example/", "http://"]
)
def test_other_schemes(client: Make, url: str) -> None:
    assert failed(client().get(url)).reason == "the URL is not an http(s) address, or contains a user name"


# Addresses


def test_private_addresses_are_refused(server: FeedServer, client: Make) -> None:
    url = server.add("news.example/feed", FEED)
    reason = "news.example (127.0.0.1) is not a public address; if it is yours, add news.example to fetch.allow"
    assert failed(client(allow=[]).get(url)).reason == reason
    ok(client(allow=["news.example"]).get(url))
    failed(client(allow=["news.example"]).get(server.add("a.example/", redirect(url))))


def test_the_connection_goes_to_the_address_that_was_checked(server: FeedServer, client: Make) -> None:
    """A name that has another address each time it is resolved leads only to addresses that were checked."""
    answers = itertools.cycle(["127.0.0.1", "10.0.0.1"])
    asked = []

    def rebinding(host: str, port: int, *, type: int) -> list[Any]:
        asked.append(host)
        return socket.getaddrinfo(next(answers), port, type=type)

    url = server.add("news.example/feed", Answer(FEED, close=True))
    made = client(resolve=rebinding)
    ok(made.get(url))
    assert "10.0.0.1" in failed(made.get(url)).reason
    assert len(asked) == 2


def test_the_next_address_is_tried(client: Make) -> None:
    with FeedServer(("127.0.0.2",)) as other:

        def resolve(host: str, port: int, *, type: int) -> list[Any]:
            return [i for a in ("127.0.0.1", "127.0.0.2") for i in socket.getaddrinfo(a, port, type=type)]

        ok(client(resolve=resolve).get(other.add("news.example/", FEED)))


def test_tls_uses_the_name(client: Make) -> None:
    authority = trustme.CA()
    serving, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("news.example").configure_cert(serving)
    authority.configure_trust(trusting)
    names: list[str] = []
    serving.sni_callback = lambda _socket, name, _context: names.append(name)
    with FeedServer(tls=serving) as secure:
        made = client(resolve=secure.resolve, tls=lambda: trusting)
        for _ in range(2):
            ok(made.get(secure.add("news.example/feed", Answer(FEED, encoding="gzip"))))
        assert names == ["news.example"]
        assert secure.asked[0].connection == secure.asked[1].connection
        reason = failed(made.get(secure.add("other.example/feed", FEED))).reason
        assert reason.startswith("the certificate of other.example is not valid: Hostname mismatch")
        reason = failed(client(resolve=secure.resolve).get(secure.url("news.example/feed"))).reason
        assert reason == "the certificate of news.example is not valid: unable to get local issuer certificate"
        # From https to http is followed, but never noted.
        with FeedServer() as plain:
            secure.add("news.example/", redirect(plain.add("news.example/feed", FEED), 301))
            found = ok(made.get(secure.url("news.example/")))
            assert (found.url, found.moved) == (plain.url("news.example/feed"), "")


def test_a_server_without_tls(server: FeedServer, client: Make) -> None:
    url = server.add("news.example/", FEED).replace("http:", "https:")
    assert failed(client().get(url)).reason.startswith("there is no secure connection to news.example: ")


# Failures


def test_no_such_host(client: Make) -> None:
    assert failed(client().get("http://news.invalid/")).reason == "the host news.invalid cannot be found"


def test_nobody_listens(client: Make) -> None:
    with FeedServer() as ended:
        url = ended.url("news.example/")
    assert failed(client(resolve=ended.resolve).get(url)).reason == "news.example refuses the connection"


def test_another_port_of_a_host_that_cannot_be_reached(server: FeedServer, client: Make) -> None:
    made = client()
    with FeedServer() as ended:
        url = ended.url("news.example/")
    assert "refuses" in failed(made.get(url)).reason
    ok(made.get(server.add("news.example/", FEED)))


def test_a_host_that_cannot_be_reached_is_not_asked_again(client: Make) -> None:
    calls = []

    def resolve(host: str, port: int, *, type: int) -> list[Any]:
        calls.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "no")

    made = client(resolve=resolve)
    assert made.get("http://news.example/1") == made.get("http://news.example/2")
    assert calls == ["news.example"]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "news.example closed the connection"),
        (b"\x00\x01\x02\r\n\r\n", "news.example does not answer in HTTP"),
        (b"<html>", "news.example does not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"\r\n", "news.example does not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000 + b"\r\n\r\n", "news.example does not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n<rss", "the answer ends too early"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<rss", "the answer ends too early"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n<rss", "the answer ends too early"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n", "news.example closed the connection"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "news.example answers 101 Switching Protocols"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20000, "the answer is larger than 0.3 MB"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 20000, "the answer is larger than 0.3 MB"),
    ],
)
def test_broken_answers(server: FeedServer, client: Make, raw: bytes, reason: str) -> None:
    url = server.add("news.example/feed", Answer(raw=raw))
    assert failed(client(limits=Limits(max_bytes=300_000)).get(url)).reason == reason


@pytest.mark.parametrize(
    "raw", [b"HTTP/1.0 200 OK\r\n\r\n<rss>", b"HTTP/1.1 200 OK\n\n<rss>", b"HTTP/1.1 200\r\nNo colon\r\n\r\n<rss>"]
)
def test_odd_answers(server: FeedServer, client: Make, raw: bytes) -> None:
    assert ok(client().get(server.add("news.example/feed", Answer(raw=raw)))).body.endswith(b"<rss>")


@pytest.mark.parametrize("settings", [{}, {"chunked": True}, {"encoding": "gzip"}, {"encoding": "br"}, {"close": True}])
def test_cut_answers(server: FeedServer, client: Make, settings: dict[str, Any]) -> None:
    body = FEED * 100
    url = server.add("news.example/feed", Answer(body, cut=10, **settings))
    assert failed(client().get(url)).reason == "the answer ends too early"


@pytest.mark.parametrize("encoding", ["", "gzip", "deflate", "br"])
@pytest.mark.parametrize("chunked", [False, True])
def test_large_answers(server: FeedServer, client: Make, encoding: str, chunked: bool) -> None:
    limits = Limits(max_bytes=1_000_000)
    fits = server.add("news.example/1", Answer(bytes(1_000_000), encoding=encoding, chunked=chunked))
    too_large = server.add("news.example/2", Answer(bytes(1_000_001), encoding=encoding, chunked=chunked))
    assert len(ok(client(limits=limits).get(fits)).body) == 1_000_000
    assert failed(client(limits=limits).get(too_large)).reason == "the answer is larger than 1 MB"


def test_a_chunk_without_end_is_stopped(server: FeedServer, client: Make) -> None:
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n" + bytes(3_000_000)
    url = server.add("news.example/", Answer(raw=raw))
    assert failed(client(limits=Limits(max_bytes=1_000_000)).get(url)).reason == "the answer is larger than 1 MB"


@pytest.mark.parametrize(
    "page", [Answer(FEED, think=30), Answer(FEED, drip=0.05), Answer(FEED, encoding="gzip", drip=0.05)]
)
def test_slow_answers(server: FeedServer, client: Make, page: Answer) -> None:
    url = server.add("news.example/feed", page)
    started = time.monotonic()
    reason = failed(client(limits=Limits(seconds=0.5)).get(url)).reason
    assert reason == "news.example did not answer within 0.5 seconds"
    assert time.monotonic() - started < 5


def test_slow_redirects_share_the_time(server: FeedServer, client: Make) -> None:
    last = server.add("c.example/", Answer(FEED, think=0.4))
    second = server.add("b.example/", Answer(status=302, headers={"Location": last}, think=0.4))
    first = server.add("a.example/", Answer(status=302, headers={"Location": second}, think=0.4))
    assert "did not answer" in failed(client(limits=Limits(seconds=0.9)).get(first)).reason
    ok(client(limits=Limits(seconds=5)).get(first))


def test_a_host_that_is_slow_twice_is_not_asked_again(server: FeedServer, client: Make) -> None:
    made = client(limits=Limits(seconds=0.2))
    urls = [server.add(f"slow.example/{number}", Answer(FEED, think=5)) for number in range(5)]
    assert len({failed(made.get(url)) for url in urls}) == 1
    assert server.paths() == ["slow.example/0", "slow.example/1"]


def test_no_reason_contains_a_secret(server: FeedServer, client: Make) -> None:
    for page in (
        Answer(status=404),
        Answer(raw=b""),
        redirect("ftp://x.example/?token=secret"),
        redirect("/feed?token=secret"),
    ):
        url = server.add("news.example/feed?token=secret", page)
        assert "secret" not in failed(client().get(url)).reason


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda data: b"HTTP/1.1 200 OK\r\n" + data)))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_give_a_result(server: FeedServer, client: Make, raw: bytes) -> None:
    result = client().get(server.add("news.example/", Answer(raw=raw)))
    assert isinstance(result, Response | Failure)


# Many requests


def test_many_requests(server: FeedServer, client: Make) -> None:
    hosts = [f"host{number}.example" for number in range(12)]
    requests = {
        f"{host} {number}": Request(url=server.add(f"{host}/{number}", Answer(host.encode(), think=0.01)))
        for host in hosts
        for number in range(4)
    }
    results = dict(client().get_all(requests))
    assert {name: ok(result).body for name, result in results.items()} == {n: n.split()[0].encode() for n in requests}
    assert 2 <= server.most[""] <= WORKERS
    assert {server.most[host] for host in hosts} == {1}
    # Each host gets its requests in the given order, on one connection.
    for host in hosts:
        assert [asked.path for asked in server.asked if asked.host == host] == ["/0", "/1", "/2", "/3"]
    assert len({asked.connection for asked in server.asked}) == len(hosts)


def test_one_request_at_a_time_for_a_host_that_others_redirect_to(server: FeedServer, client: Make) -> None:
    target = server.add("target.example/", Answer(FEED, think=0.02))
    requests = {f"{n}": Request(url=server.add(f"host{n}.example/", redirect(target))) for n in range(12)}
    assert all(ok(result).url == target for _, result in client().get_all(requests))
    assert server.most["target.example"] == 1
    assert len({asked.connection for asked in server.asked if asked.host == "target.example"}) == 1


def test_failures_do_not_stop_the_others(server: FeedServer, client: Make) -> None:
    requests = {
        "slow": Request(url=server.add("slow.example/", Answer(FEED, think=10))),
        "broken": Request(url=server.add("broken.example/", Answer(raw=b"?"))),
        "private": Request(url="http://10.0.0.1/"),
        "invalid": Request(url="not a URL"),
        "missing": Request(url="http://missing.invalid/"),
        "good": Request(url=server.add("good.example/", FEED)),
    }
    results = dict(client(limits=Limits(seconds=2)).get_all(requests))
    assert [name for name, result in results.items() if isinstance(result, Response)] == ["good"]
    assert len(results) == len(requests)


def test_no_requests(client: Make) -> None:
    assert list(client().get_all({})) == []


def test_the_workers_wait_for_results_to_be_taken(server: FeedServer, client: Make) -> None:
    requests = {f"{n}": Request(url=server.add(f"host{n}.example/", FEED)) for n in range(40)}
    results = client().get_all(requests)
    next(results)
    time.sleep(0.3)
    assert len(server.asked) <= WORKERS + 4
    assert len(list(results)) == 39


def test_an_iteration_that_ends_early_stops_the_rest(server: FeedServer, client: Make) -> None:
    requests = {f"{n}": Request(url=server.add(f"host{n}.example/", FEED)) for n in range(40)}
    results: Iterator[Any] = client().get_all(requests)
    next(results)
    results.close()  # type: ignore[attr-defined]
    for _ in range(100):
        if not any(thread.name == "fetch" for thread in threading.enumerate()):
            break
        time.sleep(0.05)
    else:
        raise AssertionError("workers are still running")
    assert len(server.asked) < 20


def test_an_error_in_a_worker_is_raised(server: FeedServer, client: Make) -> None:
    def resolve(host: str, port: int, *, type: int) -> list[Any]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(client(resolve=resolve).get_all({"a": Request(url="http://a.example/")}))


# Connections


def test_a_secure_connection_that_the_server_closed_is_replaced(client: Make) -> None:
    authority = trustme.CA()
    serving, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("news.example").configure_cert(serving)
    authority.configure_trust(trusting)
    with FeedServer(tls=serving) as secure:
        made = client(resolve=secure.resolve, tls=lambda: trusting)
        raw = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<rss>"
        for _ in range(3):
            assert ok(made.get(secure.add("news.example/", Answer(raw=raw)))).body == b"<rss>"


def test_a_connection_that_the_server_closed_is_replaced(server: FeedServer, client: Make) -> None:
    made = client()
    for _ in range(3):
        # The server closes the connection after an answer that does not announce it.
        raw = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<rss>"
        assert ok(made.get(server.add("news.example/", Answer(raw=raw)))).body == b"<rss>"


def test_bytes_after_an_answer_spoil_only_its_connection(server: FeedServer, client: Make) -> None:
    made = client()
    for _ in range(3):
        raw = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<rss>" + b"more than it says" * 10000
        assert ok(made.get(server.add("news.example/", Answer(raw=raw)))).body == b"<rss>"


@pytest.mark.parametrize("status", [302, 404])
def test_a_connection_is_kept_after_a_small_body(server: FeedServer, client: Make, status: int) -> None:
    made = client()
    page = server.add("news.example/feed", FEED)
    made.get(server.add("news.example/", Answer(b"x" * 1000, status, {"Location": page})))
    made.get(page)
    assert len({asked.connection for asked in server.asked}) == 1
    made = client()
    made.get(server.add("news.example/", Answer(b"x" * 1_000_000, status, {"Location": page})))
    assert ok(made.get(page)).body == FEED


def test_a_closed_client_keeps_no_connection(server: FeedServer, client: Make) -> None:
    made = client()
    made.close()
    ok(made.get(server.add("news.example/", FEED)))
    assert not made._idle


def test_few_connections_are_kept(server: FeedServer, client: Make) -> None:
    made = client()
    for number in range(40):
        ok(made.get(server.add(f"host{number}.example/", FEED)))
    assert len(made._idle) == 16


def test_asked_is_a_record_of_requests(server: FeedServer, client: Make) -> None:
    def page(asked: Asked) -> Answer:
        return Answer(asked.path.encode())

    assert ok(client().get(server.add("news.example/x", page))).body == b"/x"


def test_ipv6(client: Make) -> None:
    with contextlib.ExitStack() as stack:
        try:
            six = stack.enter_context(FeedServer(("::1",)))
        except OSError:
            pytest.skip("this machine has no IPv6")
        url = six.add("news.example/", FEED)
        assert "news.example (::1) is not a public address" in failed(client(resolve=six.resolve).get(url)).reason
        assert ok(client(resolve=six.resolve, allow=["::1"]).get(url)).body == FEED
