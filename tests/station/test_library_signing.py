"""A signature in the file that it signs: whatever is changed, cut or doubled, it is refused."""

from __future__ import annotations

import base64
import os
import random
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pumpctl.errors import LibrarySignature, NotConfirmed, StoreError, UsageError
from pumpctl.station.home import Home
from pumpctl.station.library_keys import key_folder, key_id
from pumpctl.station.library_signing import check_signature, make_private, read_private, signed
from pumpctl.station.library_trailer import message, taken_apart, unsigned
from tests.helpers.libraries import private_key, public_key, site_library

BODY = site_library(short=True).encode()
FILE, KEY = signed(BODY, private_key("pharmacy"))
TRAILER = FILE[len(BODY) :]
PHARMACY = public_key("pharmacy")


def refused(data: bytes) -> bool:
    """Whether nobody would take this for the pharmacy's library."""
    try:
        parts = taken_apart(data)
        if parts is None or parts.key != PHARMACY.id:
            return True
        check_signature(parts, PHARMACY)
    except LibrarySignature:
        return True
    return False


@pytest.mark.requirement("SEC-08")
def test_what_was_signed_is_taken() -> None:
    assert not refused(FILE)
    parts = taken_apart(FILE)
    assert parts is not None
    assert (parts.body, parts.key, KEY) == (BODY, PHARMACY.id, PHARMACY.id)
    assert FILE.startswith(BODY)
    assert TRAILER.count(b"\n") == 2
    assert taken_apart(BODY) is None
    assert unsigned(FILE) == BODY == unsigned(BODY) == unsigned(BODY[:-1])


@pytest.mark.requirement("SEC-08")
def test_every_changed_byte_is_refused() -> None:
    """Every place of the file: another byte there, one bit of it, none, and it twice."""
    drawn = random.Random(417)
    accepted = []
    for place in range(len(FILE)):
        before, byte, after = FILE[:place], FILE[place], FILE[place + 1 :]
        ways = {
            "another": before + bytes([byte ^ drawn.randrange(1, 256)]) + after,
            "one bit": before + bytes([byte ^ 1 << drawn.randrange(8)]) + after,
            "gone": before + after,
            "twice": before + bytes([byte, byte]) + after,
        }
        accepted += [(place, way) for way, changed in ways.items() if not refused(changed)]
    assert accepted == []


@pytest.mark.requirement("SEC-08")
def test_every_other_byte_in_the_trailer_is_refused() -> None:
    accepted = [
        (place, byte)
        for place in range(len(BODY), len(FILE))
        for byte in range(256)
        if byte != FILE[place] and not refused(FILE[:place] + bytes([byte]) + FILE[place + 1 :])
    ]
    assert accepted == []


@pytest.mark.requirement("SEC-08")
@pytest.mark.parametrize("size", range(1, len(TRAILER)))
def test_a_cut_trailer_is_refused(size: int) -> None:
    assert refused(FILE[:-size])
    with pytest.raises(LibrarySignature):
        taken_apart(FILE[: -min(size, len(TRAILER) - len("#:sign"))])


@pytest.mark.requirement("SEC-08")
@pytest.mark.parametrize(
    "data",
    [
        FILE + b"\n",
        FILE + b" ",
        FILE + b"# a word more\n",
        FILE + FILE[-1:],
        FILE + TRAILER,
        FILE + BODY,
        TRAILER + FILE,
        TRAILER,
        BODY[:-1] + TRAILER,
        BODY + b" " + TRAILER,
        BODY + TRAILER.replace(b"\n", b"\r\n"),
        FILE.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + FILE,
        BODY + TRAILER.replace(b"#:sign", b" #:sign"),
        BODY + TRAILER.replace(b"signature ", b"signature  "),
        BODY + b"".join(reversed(TRAILER.splitlines(keepends=True))),
        BODY + b"#:signed-by somebody\n" + TRAILER,
        signed(BODY, private_key("pharmacy"))[0] + signed(BODY, private_key("other"))[0][-133:],
        b"",
    ],
)
def test_no_other_spelling_is_taken(data: bytes) -> None:
    assert refused(data)


@pytest.mark.requirement("SEC-08")
def test_the_last_bits_of_the_signature_have_one_spelling() -> None:
    """The 86 letters hold four bits more than the signature: they must be zero."""
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    at = FILE.rindex(b"==") - 1
    same = []
    for letter in letters:
        other = FILE[:at] + bytes([letter]) + FILE[at + 1 :]
        raw = base64.b64decode(other[-89:-1])
        if raw == base64.b64decode(FILE[-89:-1]):
            same.append(other)
    assert len(same) == 16
    assert [refused(other) for other in same].count(False) == 1


@pytest.mark.requirement("SEC-08")
def test_a_signature_is_of_this_key_over_this_kind_of_file() -> None:
    assert not refused(FILE)
    parts = taken_apart(FILE)
    assert parts is not None
    with pytest.raises(LibrarySignature, match="changed after it was signed"):
        check_signature(parts, public_key("other"))
    # The same key over the same bytes, without saying that it is a library.
    plain = private_key("pharmacy").sign(message(BODY, KEY).split(b"\0", 1)[1])
    trailer = TRAILER.replace(base64.b64encode(parts.signature), base64.b64encode(plain))
    assert refused(BODY + trailer)
    # One key's name and another key's signature.
    other = private_key("other").sign(message(BODY, KEY))
    assert refused(BODY + TRAILER.replace(TRAILER[-89:-1], base64.b64encode(other)))


@given(st.binary(max_size=300))
@example(b"#:sign")
@example(b"\n#:signed-by ABCD-EFGH-IJKL-MNOP\n#:signature " + b"A" * 86 + b"==\n")
def test_any_bytes_are_parts_or_refused(data: bytes) -> None:
    try:
        parts = taken_apart(data)
    except LibrarySignature:
        return
    assert parts is None or data.startswith(parts.body)
    assert refused(data)


def test_signing_again_replaces_the_signature() -> None:
    again, named = signed(FILE, private_key("other"))
    assert named == public_key("other").id
    assert again.count(b"#:sign") == 2
    assert signed(again, private_key("pharmacy"))[0] == FILE


# --- private keys ------------------------------------------------------------------


def never() -> str:
    raise AssertionError("no passphrase is asked")


@pytest.mark.requirement("SEC-08")
@pytest.mark.parametrize("passphrase", ["", "correct horse µ"])
def test_a_private_key_is_its_owner_s_only(tmp_path: Path, passphrase: str) -> None:
    home = Home(tmp_path / "home")
    public = make_private(home, "pharmacy", b"7" * 32, passphrase)
    path = key_folder(home) / "pharmacy.pem"
    assert os.name == "nt" or path.stat().st_mode & 0o777 == 0o600
    assert (b"7" * 32 not in path.read_bytes()) and (b"ENCRYPTED" in path.read_bytes()) is bool(
        passphrase
    )
    private = read_private(path, (lambda: passphrase) if passphrase else never)
    assert signed(BODY, private)[1] == key_id(public)
    with pytest.raises(UsageError, match="there is a key pharmacy already"):
        make_private(home, "pharmacy", b"8" * 32, "")
    with pytest.raises(UsageError, match="no name"):
        make_private(home, "../x", b"8" * 32, "")


def test_a_wrong_passphrase(tmp_path: Path) -> None:
    home = Home(tmp_path)
    make_private(home, "pharmacy", b"7" * 32, "right")
    for wrong in ("wrong", "", "right "):
        with pytest.raises(NotConfirmed):
            read_private(key_folder(home) / "pharmacy.pem", lambda wrong=wrong: wrong)  # type: ignore[misc]


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_bare_key_that_others_can_read_signs_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path)
    make_private(home, "pharmacy", b"7" * 32, "")
    path = key_folder(home) / "pharmacy.pem"
    path.chmod(0o640)
    with pytest.raises(StoreError, match="can be read by others"):
        read_private(path, never)
    make_private(home, "wrapped", b"7" * 32, "right")
    wrapped = key_folder(home) / "wrapped.pem"
    wrapped.chmod(0o644)
    assert signed(BODY, read_private(wrapped, lambda: "right"))


@pytest.mark.parametrize("content", [b"", b"no key", b"\xff", b"-----BEGIN PRIVATE KEY-----\nAA\n"])
def test_what_is_no_key(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(UsageError, match="is no private key"):
        read_private(path, never)
    with pytest.raises(UsageError, match="cannot be read"):
        read_private(tmp_path / "gone.pem", never)


def test_another_kind_of_key_signs_nothing(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    other = X25519PrivateKey.from_private_bytes(b"7" * 32)
    path = tmp_path / "key.pem"
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    with pytest.raises(UsageError, match="is no Ed25519 key"):
        read_private(path, never)
