"""The implant card's secret: one way to print it, several to type it, no slip unnoticed."""

from __future__ import annotations

import contextlib
import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.wire.fields import WireError
from pumpctl.wire.secret import key_id, pairing_psk, secret_bytes, secret_text, session_psk

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHECKS = ALPHABET + "*~$=U"
SECRETS = st.binary(min_size=16, max_size=16)


def printed(secret: bytes) -> str:
    """The card's text, worked out from the document and not from the code."""
    number = int.from_bytes(secret, "big")
    bits = f"{number:0130b}"
    digits = "".join(ALPHABET[int(bits[at : at + 5], 2)] for at in range(0, 130, 5))
    whole = digits + CHECKS[number % 37]
    return "-".join([whole[at : at + 4] for at in range(0, 27, 4)])


@given(SECRETS)
def test_what_is_printed_is_read(secret: bytes) -> None:
    text = secret_text(secret)
    assert text == printed(secret)
    assert [len(group) for group in text.split("-")] == [4, 4, 4, 4, 4, 4, 3]
    assert secret_bytes(text) == secret
    assert secret_bytes(f"  {text.lower().replace('-', ' ')}\n") == secret
    loose = text[:-1].replace("0", "o").replace("1", "I") + text[-1]
    assert secret_bytes(loose) == secret
    assert secret_bytes(loose.replace("I", "l")) == secret


def test_a_card_by_hand() -> None:
    # 128 bits of zero, and of one: 2**128 - 1 = 7 * 32**25 + (32**25 - 1), 2**36 ≡ 1 (mod 37).
    assert secret_text(bytes(16)) == "0000-0000-0000-0000-0000-0000-000"
    check = CHECKS[(2**20 - 1) % 37]
    assert secret_text(b"\xff" * 16) == f"7ZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZ{check}"


@pytest.mark.requirement("SEC-03")
def test_every_wrong_character_is_noticed() -> None:
    rng = random.Random(3)
    tried = 0
    for _ in range(40):
        text = secret_text(rng.randbytes(16)).replace("-", "")
        for place, right in enumerate(text):
            for wrong in (CHECKS if place == 26 else ALPHABET).replace(right, ""):
                tried += 1
                with pytest.raises(WireError):
                    secret_bytes(text[:place] + wrong + text[place + 1 :])
    print(f"{tried} single wrong characters: all noticed")


@pytest.mark.requirement("SEC-03")
def test_every_transposition_of_neighbours_is_noticed_but_for_the_last() -> None:
    rng = random.Random(4)
    tried = last = missed = 0
    for _ in range(400):
        text = secret_text(rng.randbytes(16)).replace("-", "")
        for place in range(26):
            swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
            if swapped == text:
                continue
            if place < 25:
                tried += 1
                with pytest.raises(WireError):
                    secret_bytes(swapped)
            else:  # the last digit and the check character
                last += 1
                try:
                    secret_bytes(swapped)
                except WireError:
                    continue
                missed += 1
    print(f"{tried} transpositions: all noticed; with the check character {missed} of {last} not")
    assert missed * 20 < last


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0" * 26,
        "0" * 28,
        "8" + "0" * 25 + CHECKS[2**128 % 37],  # 129 bits
        "Z" + "0" * 25 + CHECKS[31 * 2**125 % 37],  # 130 bits
        "U" + "0" * 26,
        "0" * 26 + "Ö",
        "0" * 25 + "\u0660" + "0",  # another script's zero
        "0" * 25 + "\u017f" + "0",  # a long s
    ],
)
def test_what_cannot_be_a_secret_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        secret_bytes(text)


@given(st.text(max_size=40))
def test_any_text_is_a_secret_or_refused(text: str) -> None:
    with contextlib.suppress(WireError):
        assert len(secret_bytes(text)) == 16


@pytest.mark.parametrize("size", [0, 15, 17])
def test_a_secret_has_sixteen_bytes(size: int) -> None:
    with pytest.raises(WireError):
        secret_text(bytes(size))


@given(SECRETS)
def test_derivations(secret: bytes) -> None:
    names = {"pairing psk": pairing_psk, "session psk": session_psk}
    for name, derive in names.items():
        given_text = b"pumpctl " + name.encode() + b"\0"
        assert derive(secret) == hashlib.sha256(given_text + secret).digest()
    assert key_id(secret) == hashlib.sha256(b"pumpctl key id\0" + secret).digest()[:8]
