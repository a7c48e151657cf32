"""Names are answered as glibc's stub resolver answers them, and fail as it fails."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_sim.kernel import DnsFault, Simulation, Trace
from tests.kernel.testbed import START_NS, Bench, hello

S = 1_000_000_000
NAS = "10.0.0.1"
Asked = tuple[list[str] | int, int]

NXDOMAIN, SERVFAIL, SILENCE = DnsFault("nxdomain"), DnsFault("servfail"), DnsFault("silence")


def slow(delay_ns: int) -> DnsFault:
    return DnsFault("slow", delay_ns)


async def ask(name: Any = "nas-1", **options: Any) -> Asked:
    """Addresses or the error's code, and how long it took in nanoseconds."""
    loop: Any = asyncio.get_running_loop()
    began_ns = loop.clock.now_ns
    try:
        found = await loop.getaddrinfo(name, 80, **options)
    except socket.gaierror as error:
        return error.errno or 0, loop.clock.now_ns - began_ns
    return [entry[4][0] for entry in found], loop.clock.now_ns - began_ns


def asked(bench: Bench, *faults: DnsFault, name: Any = "nas-1", **options: Any) -> Asked:
    """What a question meets while ``faults`` lie on the name nas-1."""

    async def main() -> Asked:
        for number, fault in enumerate(faults):
            bench.sim.network.dns.apply(f"f{number}", fault, name="nas-1")
        return await ask(name, **options)

    result: Asked = bench.sim.run(main(), host=bench.pulse)
    return result


# The expected values were measured with glibc 2.36 against a name server that answers, denies, fails, waits or is
# silent: the stub asks at 0 s and 5 s, takes a late answer to either question, and gives up at 10 s.
@pytest.mark.parametrize(
    ("faults", "answer", "after_ns"),
    [
        ((), [NAS], 0),
        ((NXDOMAIN,), socket.EAI_NONAME, 0),
        ((SERVFAIL,), socket.EAI_AGAIN, 0),
        ((slow(2 * S),), [NAS], 2 * S),
        ((slow(7 * S),), [NAS], 7 * S),
        ((slow(10 * S - 1),), [NAS], 10 * S - 1),
        ((slow(10 * S),), socket.EAI_AGAIN, 10 * S),
        ((slow(11 * S),), socket.EAI_AGAIN, 10 * S),
        ((SILENCE,), socket.EAI_AGAIN, 10 * S),
    ],
    ids=str,
)
def test_an_answer_and_its_time_are_those_of_glibc(
    bench: Bench, faults: tuple[DnsFault, ...], answer: Any, after_ns: int
) -> None:
    assert asked(bench, *faults) == (answer, after_ns)


@pytest.mark.parametrize(
    ("faults", "answer", "after_ns"),
    [
        ((NXDOMAIN, SERVFAIL), socket.EAI_AGAIN, 0),
        ((NXDOMAIN, slow(S)), socket.EAI_NONAME, S),
        ((slow(S), slow(2 * S)), [NAS], 3 * S),
        ((NXDOMAIN, SILENCE, slow(S)), socket.EAI_AGAIN, 10 * S),
    ],
    ids=str,
)
def test_overlapping_faults_drop_then_delay_then_answer(
    bench: Bench, faults: tuple[DnsFault, ...], answer: Any, after_ns: int
) -> None:
    assert asked(bench, *faults) == (answer, after_ns)
    assert asked(Bench(), *reversed(faults)) == (answer, after_ns)


@pytest.mark.parametrize("name", [NAS, "127.0.0.1", "localhost", "LOCALHOST.", None, "", b"10.0.0.1"])
def test_what_needs_no_name_server_meets_no_fault(bench: Bench, name: Any) -> None:
    async def main() -> Asked:
        bench.sim.network.dns.apply("f", SILENCE, name="*")
        bench.sim.network.dns.latency_ns = S
        return await ask(name)

    address = NAS if name in (NAS, b"10.0.0.1") else "127.0.0.1"
    assert bench.sim.run(main(), host=bench.pulse) == ([address], 0)


@pytest.mark.parametrize(
    ("name", "options", "code"),
    [
        ("nas-1", {"family": socket.AF_INET6}, socket.EAI_NODATA),
        (NAS, {"family": socket.AF_INET6}, socket.EAI_ADDRFAMILY),
        ("localhost", {"family": socket.AF_INET6}, socket.EAI_NONAME),
        ("nas-1", {"flags": socket.AI_NUMERICHOST}, socket.EAI_NONAME),
        ("nas-9", {}, socket.EAI_NONAME),
    ],
    ids=str,
)
def test_what_cannot_be_answered_fails_with_glibcs_code(bench: Bench, name: str, options: Any, code: int) -> None:
    assert asked(bench, name=name, **options) == (code, 0)


@pytest.mark.parametrize("fault", [NXDOMAIN, SERVFAIL], ids=str)
def test_the_error_speaks_glibcs_words(bench: Bench, fault: DnsFault) -> None:
    words = {"nxdomain": "[Errno -2] Name or service not known", "servfail": "[Errno -3] Temporary failure in name"}

    async def main() -> None:
        bench.sim.network.dns.apply("f", fault, name="nas-1")
        await asyncio.open_connection("nas-1", 80)

    with pytest.raises(socket.gaierror) as raised:
        bench.sim.run(main(), host=bench.pulse)
    assert str(raised.value).startswith(words[fault.kind])


def test_a_fault_meets_its_name_and_its_asking_host_only(bench: Bench) -> None:
    other = bench.sim.host("nas-2")

    async def main() -> list[Any]:
        dns = bench.sim.network.dns
        dns.apply("one", NXDOMAIN, name="nas-1", host="pulse")
        dns.apply("two", SERVFAIL, name="*", host="nas-2")
        return [
            (await asking.run(ask(name)))[0]
            for asking in (bench.pulse, other, bench.nas)
            for name in ("nas-1", "nas-2")
        ]

    both = [[NAS], ["10.0.0.3"]]
    expected = [socket.EAI_NONAME, both[1], socket.EAI_AGAIN, socket.EAI_AGAIN, *both]
    assert bench.sim.run(main(), host=bench.pulse) == expected


@pytest.mark.parametrize(("healed_ns", "after_ns"), [(0, 5 * S), (3 * S, 5 * S), (5 * S - 1, 5 * S), (5 * S, 10 * S)])
def test_a_lost_question_is_asked_again_and_answered_once_healed(bench: Bench, healed_ns: int, after_ns: int) -> None:
    """The network comes last at an instant; a heal at exactly 5 s by a timer set later comes after the question."""

    async def main() -> Asked:
        dns = bench.sim.network.dns
        dns.apply("f", SILENCE, name="nas-1")
        question = asyncio.ensure_future(ask())
        await asyncio.sleep(0)
        await asyncio.sleep(healed_ns / S)
        dns.heal("f")
        return await question

    answer = [NAS] if after_ns == 5 * S else socket.EAI_AGAIN
    assert bench.sim.run(main(), host=bench.pulse) == (answer, after_ns)


def test_a_slow_answer_stays_slow_when_it_is_healed_meanwhile(bench: Bench) -> None:
    async def main() -> Asked:
        dns = bench.sim.network.dns
        dns.apply("f", slow(4 * S), name="nas-1")
        question = asyncio.ensure_future(ask())
        await asyncio.sleep(1)
        dns.heal("f")
        assert await ask() == ([NAS], 0)
        return await question

    assert bench.sim.run(main(), host=bench.pulse) == ([NAS], 4 * S)


def test_of_two_faults_of_one_kind_each_heals_for_itself(bench: Bench) -> None:
    async def main() -> list[Any]:
        dns = bench.sim.network.dns
        dns.apply("long", NXDOMAIN, name="nas-1")
        dns.apply("short", NXDOMAIN, name="nas-1")
        seen = []
        for fault_id in ("short", "short", "long", "unknown"):
            dns.heal(fault_id)
            seen.append((await ask())[0])
        return seen

    assert bench.sim.run(main(), host=bench.pulse) == [socket.EAI_NONAME, socket.EAI_NONAME, [NAS], [NAS]]


def test_wrong_faults_are_refused(bench: Bench) -> None:
    dns = bench.sim.network.dns
    dns.apply("f", NXDOMAIN, name="nas-1")
    with pytest.raises(ValueError, match="applied already"):
        dns.apply("f", SERVFAIL, name="nas-1")
    with pytest.raises(KeyError, match="no host"):
        dns.apply("g", NXDOMAIN, name="nas-1", host="puls")
    with pytest.raises(ValueError, match="no such DNS fault"):
        DnsFault("refused")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not negative"):
        slow(-1)
    with pytest.raises(ValueError, match="not an IPv4 address"):
        dns.publish("nas", ["nas-1"])


@given(st.integers(min_value=0, max_value=10 * S - 1))
def test_a_look_up_takes_the_configured_time_to_the_nanosecond(latency_ns: int) -> None:
    bench = Bench()
    bench.sim.network.dns.latency_ns = latency_ns
    assert asked(bench) == ([NAS], latency_ns)


def test_a_deadline_ends_a_look_up_that_nobody_answers(bench: Bench) -> None:
    async def main() -> float:
        bench.sim.network.dns.apply("f", SILENCE, name="nas-1")
        began = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await asyncio.open_connection("nas-1", 80)
        return asyncio.get_running_loop().time() - began

    assert bench.sim.run(main(), host=bench.pulse) == 3


# ---- more than one address


def test_a_published_name_has_its_addresses_in_order_and_hides_a_host_of_that_name(bench: Bench) -> None:
    bench.sim.network.dns.publish("nas-1", ["10.0.0.9", NAS])
    assert asked(bench) == (["10.0.0.9", NAS], 0)


def test_a_name_published_without_addresses_is_gone(bench: Bench) -> None:
    bench.sim.network.dns.publish("nas-1", [])
    assert asked(bench) == (socket.EAI_NONAME, 0)


@pytest.mark.parametrize(("addresses", "after_ns"), [((NAS, "10.0.0.9"), 0), (("10.0.0.9", NAS), S // 4)])
def test_a_client_with_happy_eyeballs_tries_the_second_address_after_a_quarter_second(
    bench: Bench, addresses: tuple[str, ...], after_ns: int
) -> None:
    bench.sim.network.link("pulse", "nas-1").latency_ns = 0
    bench.sim.network.link("nas-1", "pulse").latency_ns = 0

    async def main() -> int:
        await bench.serve(hello)
        bench.sim.network.dns.publish("nas", addresses)
        began_ns = bench.sim.now_ns
        async with aiohttp.ClientSession() as session, session.get("http://nas/") as answer:
            assert await answer.text() == "hello"
        return bench.sim.now_ns - began_ns

    assert bench.sim.run(main(), host=bench.pulse) == after_ns


# ---- aiohttp


def fetching(bench: Bench, work: Callable[[Callable[[], Awaitable[str]]], Awaitable[Any]], **connector: Any) -> Any:
    """Run ``work`` with a fetch that opens a new connection each time and tells its outcome in a word."""

    async def main() -> Any:
        await bench.serve(hello)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True, **connector)) as session:

            async def fetch() -> str:
                try:
                    async with session.get("http://nas-1/") as answer:
                        return await answer.text()
                except aiohttp.ClientError as error:
                    return type(error).__name__

            return await work(fetch)

    return bench.sim.run(main(), host=bench.pulse)


@pytest.mark.parametrize("fault", [NXDOMAIN, SERVFAIL, SILENCE], ids=str)
def test_an_untouched_client_session_reports_a_failed_look_up_as_its_own_error(bench: Bench, fault: DnsFault) -> None:
    async def work(fetch: Callable[[], Awaitable[str]]) -> list[str]:
        bench.sim.network.dns.apply("f", fault, name="nas-1")
        seen = [await fetch()]
        bench.sim.network.dns.heal("f")
        return [*seen, await fetch()]

    assert fetching(bench, work) == ["ClientConnectorDNSError", "hello"]


@pytest.mark.parametrize(("ttl_s", "waits_s"), [(10, 9), (300, 299)])
def test_the_cache_of_aiohttp_hides_a_lost_name_until_its_ttl_of_virtual_time_is_over(
    bench: Bench, ttl_s: int, waits_s: int
) -> None:
    async def work(fetch: Callable[[], Awaitable[str]]) -> list[str]:
        seen = [await fetch()]
        bench.sim.network.dns.apply("f", NXDOMAIN, name="nas-1")
        await asyncio.sleep(waits_s)
        seen.append(await fetch())
        await asyncio.sleep(ttl_s - waits_s)
        return [*seen, await fetch()]

    assert fetching(bench, work, ttl_dns_cache=ttl_s) == ["hello", "hello", "ClientConnectorDNSError"]


def test_aiohttp_without_a_cache_asks_for_every_connection(bench: Bench) -> None:
    async def work(fetch: Callable[[], Awaitable[str]]) -> list[str]:
        seen = [await fetch()]
        bench.sim.network.dns.apply("f", NXDOMAIN, name="nas-1")
        return [*seen, await fetch()]

    assert fetching(bench, work, use_dns_cache=False) == ["hello", "ClientConnectorDNSError"]


def test_requests_that_wait_for_one_look_up_share_its_answer(bench: Bench) -> None:
    async def work(fetch: Callable[[], Awaitable[str]]) -> list[str]:
        bench.sim.network.dns.apply("f", slow(2 * S), name="nas-1")
        return list(await asyncio.gather(*(fetch() for _ in range(3))))

    assert fetching(bench, work) == ["hello"] * 3
    assert [payload for kind, _, payload in events(bench) if kind == "dns"] == [NAS.encode()]


# ---- trace


class Recorded(Trace):
    """A trace that also keeps its events."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[tuple[str, str, bytes]] = []

    def event(self, kind: str, subject: str, payload: bytes) -> None:
        self.kept.append((kind, subject, payload))
        super().event(kind, subject, payload)


@pytest.fixture
def bench() -> Bench:
    return Bench(trace=Recorded())


def events(bench: Bench) -> list[tuple[str, str, bytes]]:
    trace = bench.sim.trace
    assert isinstance(trace, Recorded)
    return [event for event in trace.kept if event[0] != "run"]


def test_faults_and_answers_are_events_of_the_trace_and_literals_are_not(bench: Bench) -> None:
    async def main() -> None:
        dns = bench.sim.network.dns
        dns.publish("pair", [NAS, "10.0.0.9"])
        dns.apply("f", SERVFAIL, name="nas-1")
        for name in ("nas-1", "PAIR", "nowhere", NAS, "localhost"):
            await ask(name)
        dns.heal("f")
        dns.heal("f")

    bench.sim.run(main(), host=bench.pulse)
    assert events(bench) == [
        ("fault", "f", b"dns servfail nas-1"),
        ("dns", "pulse?nas-1", b"-3"),
        ("dns", "pulse?pair", b"10.0.0.1 10.0.0.9"),
        ("dns", "pulse?nowhere", b"-2"),
        ("heal", "f", b""),
    ]


def test_a_question_outside_any_host_is_refused() -> None:
    sim = Simulation(seed=1, start_ns=START_NS)

    async def main() -> None:
        await ask("nas-1")

    with pytest.raises(Exception, match="outside any host"):
        sim.run(main())


def test_binding_to_a_name_finds_the_host_that_a_question_finds() -> None:
    sim = Simulation(start_ns=START_NS, seed=1, trace=Trace())
    shouting = sim.host("NAS-2")

    async def found() -> tuple[set[str], Asked]:
        bound = set()
        for name in ("NAS-2", "nas-2", "Nas-2."):
            server = await asyncio.get_running_loop().create_server(asyncio.Protocol, name, 0)
            bound.add(server.sockets[0].getsockname()[0])
            server.close()
        return bound, await ask("nas-2")

    assert sim.run(found(), host=shouting) == ({shouting.address}, ([shouting.address], 0))
