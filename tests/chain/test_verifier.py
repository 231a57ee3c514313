"""Ed25519 verification against the vectors of RFC 8032 §7.1 and against a library."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from gateway.chain.verifier import L, canonical, verify

VECTORS = {
    "TEST 1": (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    "TEST 2": (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    "TEST 3": (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    "TEST SHA(abc)": (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_vectors(name):
    key, message, signature = (bytes.fromhex(each) for each in VECTORS[name])
    assert verify(key, message, signature)
    assert not verify(key, message + b".", signature)
    assert not verify(key, message, signature[:-1] + bytes([signature[-1] ^ 1]))
    assert not verify(
        key, message, signature[:32] + (int.from_bytes(signature[32:], "little") + L).to_bytes(32, "little")
    )
    assert not verify(key[:-1], message, signature) and not verify(key, message, signature[:-1])


@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=200), flip=st.integers(0, 511))
def test_as_the_library_does(seed, message, flip):
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert verify(public, message, signature)
    bad = bytearray(signature)
    bad[flip // 8] ^= 1 << flip % 8
    assert not verify(public, message, bytes(bad))


def test_one_text_for_one_value():
    assert canonical({"b": [1, True, None], "a": "ö\ud800"}) == b'{"a":"\\u00f6\\ud800","b":[1,true,null]}'
    with pytest.raises(ValueError):
        canonical(float("nan"))
