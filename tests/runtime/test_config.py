"""The configuration: what it holds, and a sentence that names the key for each mistake."""

from dataclasses import fields
from pathlib import Path

import pytest

from multipaxos.chain.settings import Settings
from multipaxos.runtime.config import Address, ConfigError, built_in_config, load_config

A = '[servers.A]\npeer = "127.0.0.1:7101"\nclient = "127.0.0.1:7001"\n'
B = '[servers.B]\npeer = "127.0.0.1:7102"\nclient = "127.0.0.1:7002"\n'
MAIN = 'cluster = "main"\n'


def write(directory: Path, text: str | bytes) -> Path:
    """Write a configuration and return its path."""
    path = directory / "cluster.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_the_built_in_cluster_is_a_b_c_on_loopback() -> None:
    """Three terminals, no file: servers at 7101 to 7103, clients at 7001 to 7003."""
    config = built_in_config()

    assert config.cluster == "main"
    assert [str(server.peer) for server in config.servers.values()] == [
        "127.0.0.1:7101",
        "127.0.0.1:7102",
        "127.0.0.1:7103",
    ]
    assert str(config.server("B").client) == "127.0.0.1:7002"
    assert config.settings == Settings()
    assert config.membership("B").peers == ("A", "C")


def test_the_built_in_cluster_has_up_to_nine_servers() -> None:
    """A to I."""
    assert list(built_in_config(9).servers) == list("ABCDEFGHI")
    assert list(built_in_config(1, peer_port=9000).servers) == ["A"]
    assert built_in_config(9, peer_port=9000).server("I").peer.port == 9008


@pytest.mark.parametrize("servers", [-1, 0, 10])
def test_the_built_in_cluster_has_one_to_nine_servers(servers: int) -> None:
    """No cluster has none, and no more than nine are allowed."""
    with pytest.raises(ConfigError, match=f"1 to 9 servers, not {servers}"):
        built_in_config(servers)


def test_the_built_in_settings_pass_the_checks_of_a_file(tmp_path: Path) -> None:
    """Whoever writes the defaults into a file gets the defaults."""
    lines = [f"{field.name} = {field.default}" for field in fields(Settings)]
    path = write(tmp_path, "\n".join([MAIN, A, "[settings]", *lines]))

    assert load_config(path).settings == Settings()


def test_a_file_can_say_everything(tmp_path: Path) -> None:
    """Names, several machines, IPv6, settings, history."""
    path = write(
        tmp_path,
        """
        cluster = "test-1.eu"
        [servers.north-1]
        peer = "[2001:db8::1]:7101"
        client = "north.example.com:7001"
        metrics = "[2001:db8::1]:9101"
        [servers.south_2]
        peer = "South.Example.COM:07101"
        client = "localhost:7001"
        [settings]
        lease_seconds = 5
        queue_max = 9
        sessions_max = 10
        [history]
        links_max = 0
        [limits]
        value_bytes_max = 2000000
        """,
    )

    config = load_config(path)

    assert config.cluster == "test-1.eu"
    assert config.value_bytes_max == 2_000_000
    assert list(config.servers) == ["north-1", "south_2"]
    assert config.servers["north-1"].peer == Address(host="2001:db8::1", port=7101)
    assert str(config.servers["north-1"].peer) == "[2001:db8::1]:7101"
    assert str(config.servers["south_2"].peer) == "south.example.com:7101"
    assert config.servers["north-1"].metrics == Address(host="2001:db8::1", port=9101)
    assert config.servers["south_2"].metrics is None
    assert config.settings == Settings(lease_seconds=5.0, queue_max=9, sessions_max=10)
    assert config.history_max == 0


def test_an_unknown_server_gets_a_sentence_that_names_the_known_ones() -> None:
    """The user mistyped the name of the server to start."""
    with pytest.raises(ConfigError, match=r"no server 'X' in the cluster: it has A, B, C"):
        built_in_config().membership("X")


MISTAKES = {
    "not TOML": ("cluster = main", "is not TOML"),
    "a key twice": (MAIN + MAIN + A, "is not TOML"),
    "more digits than Python reads": ("x = " + "9" * 5000, "is not TOML"),
    "deep nesting": ("x = " + "[" * 5000, "is not TOML"),
    "an empty file": ("", "cluster is missing"),
    "an unknown key": (MAIN + "servrs = 1\n" + A, "servrs is no known key"),
    "an unknown table": (MAIN + A + "[setting]\n", "setting is no known key"),
    "no cluster": (A, "cluster is missing"),
    "a cluster that is a number": ("cluster = 1\n" + A, "cluster must be"),
    "an empty cluster": ('cluster = ""\n' + A, "cluster must be"),
    "a cluster with a space": ('cluster = "my cluster"\n' + A, "cluster must be"),
    "a long cluster": (f'cluster = "{"c" * 33}"\n' + A, "cluster must be"),
    "no servers": (MAIN, r"\[servers\] must list 1 to 9 servers, not 0"),
    "empty servers": (MAIN + "[servers]\n", r"\[servers\] must list 1 to 9 servers, not 0"),
    "servers that are a list": (MAIN + "servers = []\n", r"\[servers\] must be a table"),
    "ten servers": (
        MAIN
        + "".join(
            f'[servers.S{i}]\npeer = "h:{7101 + i}"\nclient = "h:{7001 + i}"\n' for i in range(10)
        ),
        r"\[servers\] must list 1 to 9 servers, not 10",
    ),
    "a server that is a text": (MAIN + '[servers]\nA = "x"\n', r"\[servers.A\] must be a table"),
    "a bad uid": (MAIN + A.replace("servers.A", 'servers."A B"'), "'A B' cannot name a server"),
    "a long uid": (MAIN + A.replace("servers.A", f"servers.{'A' * 17}"), "cannot name a server"),
    "an empty uid": (MAIN + A.replace("servers.A", 'servers.""'), "cannot name a server"),
    "an unknown key of a server": (MAIN + A + "port = 1\n", r"servers\.A\.port is no known key"),
    "no peer": (MAIN + '[servers.A]\nclient = "h:1"\n', r"servers\.A\.peer is missing"),
    "no client": (MAIN + '[servers.A]\npeer = "h:1"\n', r"servers\.A\.client is missing"),
    "a peer that is a number": (
        MAIN + '[servers.A]\npeer = 7101\nclient = "h:1"\n',
        r"servers\.A\.peer must be a text",
    ),
    "two servers at one peer address": (
        MAIN + A + B.replace("7102", "7101"),
        r"servers\.A\.peer and servers\.B\.peer are both 127\.0\.0\.1:7101",
    ),
    "two servers at one client address": (
        MAIN + A + B.replace("7002", "7001"),
        r"servers\.A\.client and servers\.B\.client are both",
    ),
    "two servers at one address for metrics": (
        MAIN + A + 'metrics = "h:9101"\n' + B + 'metrics = "h:9101"\n',
        r"servers\.A\.metrics and servers\.B\.metrics are both h:9101",
    ),
    "metrics where its own clients are": (
        MAIN + A + 'metrics = "127.0.0.1:7001"\n',
        r"servers\.A\.client and servers\.A\.metrics are both 127\.0\.0\.1:7001",
    ),
    "metrics where another's clients are": (
        MAIN + A + B + 'metrics = "127.0.0.1:7001"\n',
        r"servers\.A\.client and servers\.B\.metrics are both 127\.0\.0\.1:7001",
    ),
    "metrics where the other servers are": (
        MAIN + A + 'metrics = "127.0.0.1:7101"\n',
        r"servers\.A\.peer and servers\.A\.metrics are both 127\.0\.0\.1:7101",
    ),
    "metrics that are a number": (
        MAIN + A + "metrics = 9101\n",
        r"servers\.A\.metrics must be a text",
    ),
    "a client address that is a peer's": (
        MAIN + A + B.replace("7002", "7101"),
        r"servers\.A\.peer and servers\.B\.client are both 127\.0\.0\.1:7101",
    ),
    "one address for servers and clients": (
        MAIN + A.replace("7001", "7101"),
        r"servers\.A\.peer and servers\.A\.client are both",
    ),
    "one address written in two ways": (
        MAIN
        + A.replace("127.0.0.1:7101", "[2001:db8::1]:7101")
        + B.replace("127.0.0.1:7102", "[2001:0DB8:0::1]:07101"),
        r"servers\.A\.peer and servers\.B\.peer are both",
    ),
    "IPv4 and IPv6 mixed": (
        MAIN + A + B.replace("127.0.0.1:7102", "[::1]:7102"),
        r"servers\.A\.peer is an IPv4 and servers\.B\.peer an IPv6",
    ),
    "settings that are a number": (MAIN + "settings = 1\n" + A, r"\[settings\] must be a table"),
    "an unknown setting": (MAIN + A + "[settings]\nlease = 1\n", r"settings\.lease is no known"),
    "a setting that is a text": (
        MAIN + A + '[settings]\nlease_seconds = "2"\n',
        r"settings\.lease_seconds must be a number",
    ),
    "a setting that is true": (
        MAIN + A + "[settings]\nlease_seconds = true\n",
        r"settings\.lease_seconds must be a number",
    ),
    "a number that is true": (
        MAIN + A + "[settings]\nqueue_max = true\n",
        r"settings\.queue_max must be a whole number",
    ),
    "a number with a fraction": (
        MAIN + A + "[settings]\nqueue_max = 10.0\n",
        r"settings\.queue_max must be a whole number",
    ),
    "a zero": (MAIN + A + "[settings]\nqueue_max = 0\n", r"settings\.queue_max must be a whole"),
    "a queue as long as the sessions": (
        MAIN + A + "[settings]\nqueue_max = 1024\n",
        r"settings\.queue_max, 1024, must be below settings\.sessions_max, 1024",
    ),
    "a history that is a number": (MAIN + "history = 1\n" + A, r"\[history\] must be a table"),
    "an unknown key of the history": (
        MAIN + A + "[history]\nmax = 1\n",
        r"history\.max is no known key",
    ),
    "values that are too large": (
        MAIN + A + "[limits]\nvalue_bytes_max = 67108865\n",
        r"limits\.value_bytes_max must be a whole number from 1 to 67108864, not 67108865",
    ),
    "an unknown limit": (
        MAIN + A + "[limits]\nvalue_bytes = 1\n",
        r"limits\.value_bytes is no known key: there are value_bytes_max",
    ),
    "a negative history": (
        MAIN + A + "[history]\nlinks_max = -1\n",
        r"history\.links_max must be a whole number from 0",
    ),
    "a huge history": (
        MAIN + A + f"[history]\nlinks_max = {10**10}\n",
        r"history\.links_max must be a whole number",
    ),
    "a backoff that shrinks": (
        MAIN + A + "[settings]\nbackoff_seconds_min = 3.0\n",
        r"settings\.backoff_seconds_min must not be above settings\.backoff_seconds_max",
    ),
    "a renewal as early as the lease": (
        MAIN + A + "[settings]\nlease_seconds = 1.01\nrenewal_head_start_seconds = 1.0\n",
        r"settings\.renewal_head_start_seconds must be below the 0\.99 seconds",
    ),
    "clocks that are half wrong": (
        MAIN + A + "[settings]\nclock_rate_error = 0.5\n",
        r"settings\.clock_rate_error must be at least 0 and below 0\.5",
    ),
    "clocks better than perfect": (
        MAIN + A + "[settings]\nclock_rate_error = -0.1\n",
        r"settings\.clock_rate_error must be at least 0",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_gets_a_sentence_that_names_the_key(tmp_path: Path, name: str) -> None:
    """The user sees which file, which key, and what to write instead."""
    text, sentence = MISTAKES[name]
    path = write(tmp_path, text)

    with pytest.raises(ConfigError, match=sentence) as caught:
        load_config(path)

    assert str(caught.value).startswith((f"in {path}: ", f"the file {path} is not "))


@pytest.mark.parametrize("number", ["0", "-1", "0.0", "-0.5", "nan", "inf", "-inf", "3601"])
@pytest.mark.parametrize(
    "name", [field.name for field in fields(Settings) if "seconds" in field.name]
)
def test_every_time_is_positive_and_finite(tmp_path: Path, name: str, number: str) -> None:
    """Zero, negative, NaN, infinite and absurdly long times are refused, each by its name."""
    path = write(tmp_path, f"{MAIN}{A}[settings]\n{name} = {number}\n")

    with pytest.raises(ConfigError, match=f"settings.{name} must be above 0 and at most 3600"):
        load_config(path)


def test_an_integer_of_a_thousand_digits_gets_a_sentence(tmp_path: Path) -> None:
    """TOML knows no limit for integers; floats do."""
    path = write(tmp_path, f"{MAIN}{A}[settings]\nlease_seconds = {'9' * 1000}\n")

    with pytest.raises(ConfigError, match=r"settings\.lease_seconds must be"):
        load_config(path)


def test_the_clocks_may_be_perfect(tmp_path: Path) -> None:
    """A rate error of zero is a valid assumption in an experiment."""
    path = write(tmp_path, f"{MAIN}{A}[settings]\nclock_rate_error = 0\n")

    assert load_config(path).settings.held_lease_seconds == Settings().lease_seconds


@pytest.mark.parametrize(
    "address, sentence",
    [
        ("", '"host:port"'),
        ("localhost", '"host:port"'),
        (":7101", '"host:port"'),
        ("localhost:", '"host:port"'),
        ("localhost:http", '"host:port"'),
        ("localhost:-1", '"host:port"'),
        ("localhost:+71", '"host:port"'),
        ("localhost:7101\n", '"host:port"'),
        ("localhost:٧", '"host:port"'),  # noqa: RUF001 - a digit, but not an ASCII one
        ("::1:7101", '"host:port"'),
        ("[::1]", '"host:port"'),
        ("http://localhost:7101", '"host:port"'),
        ("localhost:0", "a port from 1 to 65535"),
        ("localhost:65536", "a port from 1 to 65535"),
        ("localhost:" + "9" * 5000, "a port from 1 to 65535"),
        ("local host:7101", "no host and no address"),
        ("-x:7101", "no host and no address"),
        ("a..b:7101", "no host and no address"),
        ("hôte:7101", "no host and no address"),
        ("127.0.0.256:7101", "no host and no address"),
        ("127.1:7101", "no host and no address"),
        ("[localhost]:7101", "no host and no address"),
        (f"{'x' * 64}:7101", "no host and no address"),
        (f"{'x.' * 127}yz:7101", "no host and no address"),
        ("0.0.0.0:7101", "stands for many"),
        ("[::]:7101", "stands for many"),
        ("224.0.0.1:7101", "stands for many"),
        ("[fe80::1]:7101", "link-local"),
        ("[fe80::1%eth0]:7101", "link-local"),
        ("[::ffff:10.0.0.1]:7101", "IPv4-mapped"),
    ],
)
@pytest.mark.parametrize("key", ["peer", "client", "metrics"])
def test_each_wrong_address_gets_a_sentence(
    tmp_path: Path, key: str, address: str, sentence: str
) -> None:
    """Ports, hosts and addresses are checked when the file is read, not when a packet is lost."""
    addresses = {"peer": "h:1", "client": "h:2", key: address.replace("\n", "\\n")}
    lines = [f'{name} = "{value}"\n' for name, value in addresses.items()]
    path = write(tmp_path, f"{MAIN}[servers.A]\n{''.join(lines)}")

    with pytest.raises(ConfigError, match=rf"servers\.A\.{key} ") as caught:
        load_config(path)

    assert sentence in str(caught.value)


def test_a_file_that_is_not_there_gets_a_sentence(tmp_path: Path) -> None:
    """The system's own words say why it cannot be read."""
    with pytest.raises(ConfigError, match=r"cannot read .*none\.toml: No such file"):
        load_config(tmp_path / "none.toml")


def test_a_directory_gets_a_sentence(tmp_path: Path) -> None:
    """A common slip: --config with the directory of the file."""
    with pytest.raises(ConfigError, match=r"cannot read .*: Is a directory"):
        load_config(str(tmp_path))


def test_a_file_that_is_no_text_gets_a_sentence(tmp_path: Path) -> None:
    """TOML is UTF-8."""
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load_config(write(tmp_path, b"cluster = '\xff'"))


# -- the password ----------------------------------------------------------------------------------


def write_password(directory: Path, content: bytes, *, mode: int = 0o600) -> Path:
    """Write a file that holds a password, and a configuration that names it."""
    (directory / "password").write_bytes(content)
    (directory / "password").chmod(mode)
    return write(directory, f'{MAIN}client_password_file = "password"\n{A}')


@pytest.mark.parametrize("content", [b"sesame", b"sesame\n", b"sesame\r\n"])
@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640])
def test_the_password_stands_in_a_file_of_its_own(
    tmp_path: Path, content: bytes, mode: int
) -> None:
    """Beside the configuration; the end of its line is no part of it, and nobody sees it."""
    config = load_config(write_password(tmp_path, content, mode=mode))

    assert config.client_password == "sesame"
    assert "sesame" not in repr(config)
    assert built_in_config().client_password is None


@pytest.mark.parametrize("content", [" sésame ", "x" * 512, "a\rb"])
def test_a_password_is_taken_as_it_is(tmp_path: Path, content: str) -> None:
    """Blanks are part of it, and so is all that UTF-8 can write but the end of a line."""
    config = load_config(write_password(tmp_path, content.encode()))

    assert config.client_password == content


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"", "password is empty"),
        (b"\n", "password is empty"),
        (b"secret\nsecret\n", "must hold one line of at most 512 bytes"),
        (b"secret\n\n", "must hold one line"),
        (b"secret" * 100, "must hold one line"),
        (b"secret\xff", "password is not UTF-8"),
    ],
)
def test_each_mistake_in_the_password_gets_a_sentence(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    """The sentence names the key and the file, and tells nothing of what is in it."""
    path = write_password(tmp_path, content)

    with pytest.raises(ConfigError, match=sentence) as caught:
        load_config(path)

    assert str(caught.value).startswith(f"in {path}: client_password_file: ")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o644, 0o777])
def test_a_password_that_everybody_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """What all users of the machine know protects nothing."""
    path = write_password(tmp_path, b"sesame", mode=mode)

    with pytest.raises(ConfigError, match=r"all users of this machine may use .*chmod o= "):
        load_config(path)


@pytest.mark.parametrize("name", ['"nowhere"', '"."', '""', "7", '"a\\u0000b"'])
def test_the_password_s_file_must_be_one(tmp_path: Path, name: str) -> None:
    """A missing file is a mistake, and not a cluster without a password."""
    path = write(tmp_path, f"{MAIN}client_password_file = {name}\n{A}")

    with pytest.raises(ConfigError, match="client_password_file"):
        load_config(path)
