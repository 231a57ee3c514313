"""Reading a mail: who wrote to whom, the parts as IMAP numbers them, flags, and the faults that real mail has."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.mail.address import Mailbox
from gateway.mail.message import parse_addresses, parse_date, parse_ids, read_headers, read_message


def mail(*lines: str | bytes) -> bytes:
    return b"\r\n".join(line if isinstance(line, bytes) else line.encode("utf-8") for line in lines)


NESTED = mail(
    "From: Dana Cole <dana.cole@acme.example>",
    "To: bob.nilsson@acme.example",
    'Content-Type: multipart/mixed; boundary="outer"',
    "",
    "preamble",
    "--outer",
    "Content-Type: multipart/alternative; boundary=inner",
    "",
    "--inner",
    "Content-Type: text/plain; charset=iso-8859-1",
    "Content-Transfer-Encoding: quoted-printable",
    "",
    "Gr=FC=DFe=20",
    "from us",
    "--inner",
    "Content-Type: text/html; charset=utf-8",
    "Content-Transfer-Encoding: base64",
    "",
    "PHA+R3LDvMOfZTwvcD4=",
    "--inner--",
    "",
    "--outer",
    "Content-Type: message/rfc822",
    "",
    "From: Erika Mustermann <erika@kunde.example>",
    "Subject: =?utf-8?q?Drucker_h=C3=A4ngt?=",
    "Content-Type: multipart/mixed; boundary=third",
    "",
    "--third",
    "",
    "not a part of the outer mail",
    "--third--",
    "--outer",
    "Content-Type: application/pdf; name*=utf-8''Pr%C3%BCfung.pdf",
    "Content-Disposition: attachment",
    "Content-Transfer-Encoding: base64",
    "",
    "JVBERi0=",
    "--outer--",
    "epilogue",
)


def test_parts_are_numbered_as_imap_does_and_an_attached_mail_stays_closed():
    message = read_message(NESTED)
    assert [(part.id, part.content_type) for part in message.parts] == [
        ("1.1", "text/plain"),
        ("1.2", "text/html"),
        ("2", "message/rfc822"),
        ("3", "application/pdf"),
    ]
    assert [part.text for part in message.parts] == ["Grüße \nfrom us", "<p>Grüße</p>", None, None]
    assert [part.in_alternative for part in message.parts] == [True, True, False, False]
    assert message.parts[3].filename == "Prüfung.pdf" and message.parts[3].attachment
    assert message.attached[0].part == "2"
    assert message.attached[0].headers.author == Mailbox("erika@kunde.example", "Erika Mustermann")
    assert message.attached[0].headers.subject == "Drucker hängt"
    assert message.unreadable == () and message.oddities == ()


def test_a_part_knows_its_octets():
    part = read_message(NESTED).parts[3]
    assert NESTED[part.start : part.end] == b"JVBERi0=" and part.size == 8


def test_a_mail_without_mime_is_part_one():
    message = read_message(mail("From: a@b.example", "", "No."))
    assert [(part.id, part.text) for part in message.parts] == [("1", "No.")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("bob@x.example", [("bob@x.example", "")]),
        ("Bob Nilsson <bob@x.example>, carla@x.example", [("bob@x.example", "Bob Nilsson"), ("carla@x.example", "")]),
        ('"Nilsson, Bob" <bob@x.example>', [("bob@x.example", "Nilsson, Bob")]),
        (r'"Bob \"the\" Nilsson" <bob@x.example>', [("bob@x.example", 'Bob "the" Nilsson')]),
        ("bob@x.example (Bob Nilsson)", [("bob@x.example", "Bob Nilsson")]),
        ("Team: bob@x.example, Carla <carla@x.example>;", [("bob@x.example", ""), ("carla@x.example", "Carla")]),
        ("undisclosed-recipients:;", []),
        ("Undisclosed recipients", []),
        ("=?utf-8?B?QsO2Yg==?= <bob@x.example>", [("bob@x.example", "Böb")]),
        ('"=?utf-8?B?QsO2Yg==?=" <bob@x.example>', [("bob@x.example", "Böb")]),
        ("=?utf-8?q?boss=40acme=2Eexample=2C?= <bob@x.example>", [("bob@x.example", "boss@acme.example,")]),
        ("=?utf-8?q?a=0D=0ABcc:_eve=40x.example?= <bob@x.example>", [("bob@x.example", "a Bcc: eve@x.example")]),
        ('"o.b"@x.example', [('"o.b"@x.example', "")]),
        ("bøb@exämple.example", [("bøb@exämple.example", "")]),
        ("bob@x.example; carla@x.example", [("bob@x.example", ""), ("carla@x.example", "")]),
        ("Rossi, Carla <carla@x.example>", [("carla@x.example", "Rossi, Carla")]),
        ("Kate [kate@x.example]", [("kate@x.example", "Kate")]),
        ("d..steffes@x.example", [("d..steffes@x.example", "")]),
        ("'bob@x.example'", [("bob@x.example", "")]),
        ("Mason; Janice L (GOV)", [("", "Mason, Janice L (GOV)")]),
        ("Bob Nilsson <bob@x.example> <eve@x.example>", [("bob@x.example", "Bob Nilsson"), ("eve@x.example", "")]),
        ("<@relay.example:bob@x.example>", [("bob@x.example", "")]),
        ("bob@[192.0.2.1]", [("bob@[192.0.2.1]", "")]),
        ("", []),
    ],
)
def test_address_lists(value: str, expected: list[tuple[str, str]]):
    assert [(each.address, each.name) for each in parse_addresses(value)[0]] == expected


def test_a_name_in_raw_latin_octets():
    assert parse_addresses(b"M\xfcller <m@x.example>")[0] == (Mailbox("m@x.example", "Müller"),)


def test_every_to_and_cc_field_counts():
    headers = read_headers(mail("To: a@x.example", "to: b@x.example", "CC : c@x.example", "Cc: d@x.example", "", ""))
    assert [each.address for each in headers.to] == ["a@x.example", "b@x.example"]
    assert [each.address for each in headers.cc] == ["c@x.example", "d@x.example"]
    assert "2 To fields" in headers.oddities


def test_two_authors_are_an_oddity():
    headers = read_headers(mail("From: a@x.example", "From: b@x.example", "", ""))
    assert headers.author == Mailbox("a@x.example")
    assert {"2 From fields", "several authors in From"} <= set(headers.oddities)


def test_the_references_start_with_the_answered_mail_and_go_back():
    headers = read_headers(
        mail("In-Reply-To: <3@x>", "References: <1@x>", " <2@x>", "\t<3@x>", "Message-ID: < 4@x >", "", "")
    )
    assert headers.references == ("<3@x>", "<2@x>", "<1@x>")
    assert headers.message_id == "<4@x>"
    assert parse_ids("a@x b@x") == ("<a@x>", "<b@x>")


@pytest.mark.parametrize(
    ("value", "iso"),
    [
        (b" Sun, 3 May 2026 10:00:00 +0200", "2026-05-03T10:00:00+02:00"),
        (b"3 May 26 10:00 EST", "2026-05-03T10:00:00-05:00"),
        (b"Sun, 3 May 2026 10:00:00 +0200 (CEST)", "2026-05-03T10:00:00+02:00"),
        (b"Sun, 03 May 2026 10:00:00", "2026-05-03T10:00:00+00:00"),
        (b"soon", None),
        (b"Sun, 3 May 99999999999 10:00:00 +9999", None),
    ],
)
def test_dates_are_aware(value: bytes, iso: str | None):
    found = parse_date(value)
    assert (found and found.isoformat()) == iso
    assert found is None or isinstance(found.utcoffset(), timedelta)


def test_a_folded_subject_carries_no_line_end():
    headers = read_headers(
        mail("Subject: =?utf-8?q?one=0D=0ABcc:_x?=", " =?utf-8?q?_two=0C?=", "\tthree\x0bfour", "", "")
    )
    assert headers.subject == "one  Bcc: x two  three four"


@pytest.mark.parametrize(
    ("fields", "auto", "bulk"),
    [
        (["Auto-Submitted: auto-replied (vacation)"], True, False),
        (["Auto-Submitted: no"], False, False),
        (["X-Autoreply: yes"], True, False),
        (["Precedence: auto_reply"], True, False),
        (["Precedence: bulk"], False, True),
        (["List-Id: <users.lists.example>"], False, True),
        (["Content-Type: multipart/report; report-type=disposition-notification; boundary=x"], True, False),
        (["X-Auto-Response-Suppress: All"], False, False),
        (["Subject: Precedence: bulk"], False, False),
    ],
)
def test_machines_and_lists(fields: list[str], auto: bool, bulk: bool):
    headers = read_headers(mail("From: a@x.example", *fields, "", ""))
    assert (headers.auto_submitted, headers.bulk) == (auto, bulk)


@pytest.mark.parametrize(
    ("fields", "body", "flags"),
    [
        (["Content-Type: multipart/signed; boundary=b"], ["--b", "", "text", "--b--"], {"signed"}),
        (["Content-Type: multipart/encrypted; boundary=b"], ["--b", "", "Version: 1", "--b--"], {"encrypted"}),
        (["Content-Type: application/pkcs7-mime; smime-type=enveloped-data"], ["AAAA"], {"encrypted"}),
        (["Content-Type: application/x-pkcs7-mime; smime-type=signed-data"], ["AAAA"], {"signed"}),
        ([], ["-----BEGIN PGP SIGNED MESSAGE-----", "Hash: SHA1"], {"signed"}),
        ([], ["-----BEGIN PGP MESSAGE-----", ""], {"encrypted"}),
        ([], ["> -----BEGIN PGP MESSAGE-----", ""], set()),
        (["Content-Type: text/calendar; method=REPLY"], ["BEGIN:VCALENDAR"], {"calendar"}),
        (
            ["Content-Type: text/calendar; method=REQUEST", "Content-Disposition: attachment"],
            ["BEGIN:VCALENDAR"],
            set(),
        ),
    ],
)
def test_signed_encrypted_and_calendar_mail(fields: list[str], body: list[str], flags: set[str]):
    message = read_message(mail("From: a@x.example", *fields, "", *body))
    assert {name for name in ("signed", "encrypted", "calendar") if getattr(message, name)} == flags


@pytest.mark.parametrize(
    ("charset", "octets", "text", "odd"),
    [
        ("utf-8", "Grüße".encode(), "Grüße", False),
        ("iso-8859-1", b"Gr\xfc\xdfe \x80", "Grüße €", False),
        ("iso-8859-1", "Grüße".encode(), "Grüße", True),
        ("us-ascii", b"Gr\xfc\xdfe", "Grüße", True),
        ("", "Grüße".encode(), "Grüße", True),
        ("utf-8", b"Gr\xfc\xdfe", "Grüße", True),
        ("x-nonsense", b"Gr\xfc\xdfe", "Grüße", True),
        ("iso-2022-jp", "障害".encode("iso2022_jp"), "障害", False),
        ("ks_c_5601-1987", "안녕".encode("cp949"), "안녕", False),
        ("gb2312", "镕".encode("gbk"), "镕", False),
        ("unicode-1-1-utf-7", "Grüße".encode("utf-7"), "Grüße", False),
        ("rot13", b"No.", "No.", False),
        ("utf-7", b"+2AA-", "\ufffd", False),
        ("utf-8", b"a\0b", "a\ufffdb", False),
    ],
)
def test_charsets_and_their_lies(charset: str, octets: bytes, text: str, odd: bool):
    message = read_message(
        mail(f"Content-Type: text/plain; charset={charset}", "Content-Transfer-Encoding: 8bit", "", octets)
    )
    assert message.parts[0].text == text
    assert bool(message.oddities) == odd


@pytest.mark.parametrize(
    ("encoding", "octets", "text", "odd"),
    [
        ("base64", b"Tm8u\r\n", "No.", False),
        ("BASE64", b"Tm8", "No", True),
        ("base64", b"Tm8uIFRoYXQg\r\n!aXMgbm90!\r\nIHBvc3NpYmxl", "No. That is not possible", False),
        ("base64", b"Tm8uIFRoYXQgaXMgbm90IHBvc3NpYmxl\r\nx", "No. That is not possible", True),
        ("base64", b"No, that is not possible.", "No, that is not possible.", True),
        ("quoted-printable", b"a=\r\nb=3D=zz=", "ab==zz", False),
        ('"quoted-printable"', b"=4eo.", "No.", False),
        ("8-bit", b"No.", "No.", False),
        ("x-uuencode", b"No.", "No.", True),
    ],
)
def test_encodings_and_their_faults(encoding: str, octets: bytes, text: str, odd: bool):
    message = read_message(mail(f"Content-Transfer-Encoding: {encoding}", "", octets))
    assert message.parts[0].text == text
    assert bool(message.oddities) == odd


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?=", "café"),
        ("=?utf-8?B?Y2Fmw?=\r\n =?utf-8?B?6Q=?=", "café"),
        ("=?iso-8859-1?q?caf=E9?=and=?utf-8?q?_tea?=", "caféand tea"),
        ("=?utf-8?Q?what? now?=", "what? now"),
        ("=?utf-8?Q?cut", "=?utf-8?Q?cut"),
        ("=?x-nonsense?q?caf=E9?=", "café"),
        ("=?utf-8*en?q?hello?= x", "hello x"),
        ("=?utf-8?x?hello?=", "=?utf-8?x?hello?="),
        ("a =?utf-8?q?b?= c", "a b c"),
    ],
)
def test_encoded_words_in_their_bad_forms(value: str, text: str):
    assert read_headers(mail(f"Subject: {value}", "", "")).subject == text


@pytest.mark.parametrize(
    ("field", "filename"),
    [
        ('attachment; filename="a b.txt"', "a b.txt"),
        ("attachment; filename=a b.txt; size=3", "a b.txt"),
        ("attachment; filename*=utf-8'de'%C3%BC.txt; filename=u.txt", "ü.txt"),
        ("attachment; filename*1=b.txt; filename*0=a", "ab.txt"),
        ("attachment; filename*0*=utf-8''%C3%BC; filename*1*=%C3%A4; filename*2=.txt", "üä.txt"),
        ('attachment; filename="=?utf-8?q?=C3=BC=2Etxt?="', "ü.txt"),
        ('attachment; filename="unclosed.txt', "unclosed.txt"),
        ("attachment; filename*0*=broken%", "broken%"),
    ],
)
def test_file_names(field: str, filename: str):
    assert read_message(mail(f"Content-Disposition: {field}", "", "x")).parts[0].filename == filename


@pytest.mark.parametrize(
    "body",
    [
        ["--b", "", "hello", "--b--"],
        ["--b ", "", "hello", "--b-- ", "x"],
        ["--b", "hello, no empty line"],
        ["--b", "", "hello"],
        ["hello, and no boundary at all"],
        ["--b", "Content-Type: multipart/alternative; boundary=never", "", "hello", "--b--"],
        ["--b", "Content-Type: multipart/alternative; boundary=b:c", "", "--b:c", "", "hello", "--b--"],
        ["--b", "Content-Type: multipart/alternative; boundary=b", "", "--b", "", "hello", "--b--"],
    ],
)
def test_bad_multiparts_still_show_their_text(body: list[str]):
    message = read_message(mail("Content-Type: multipart/mixed; boundary=b", "", *body))
    assert [part.text for part in message.parts if (part.text or "").startswith("hello")]


def test_lines_may_end_in_lf():
    message = read_message(NESTED.replace(b"\r\n", b"\n"))
    assert [part.text for part in message.parts] == ["Grüße \nfrom us", "<p>Grüße</p>", None, None]


def test_a_header_longer_than_the_bound_is_named():
    headers = read_headers(b"Subject: x\r\n" + b"X-Pad: y\r\n" * 10000 + b"To: late@x.example\r\n\r\nbody")
    assert headers.unreadable == ("the header is longer than 64 KiB",)
    assert headers.to == ()
    message = read_message(b"Subject: x\r\n" + b"X-Pad: y\r\n" * 10000 + b"To: late@x.example\r\n\r\nbody")
    assert message.parts[0].text == "body"
