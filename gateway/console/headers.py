"""What every answer carries, so that browsers run and load nothing that is not ours."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; frame-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
"""Content-Security-Policy: no script at all, no style but our file, nothing from elsewhere."""

FRAME_STYLE = (
    ":root{color-scheme:light}body{margin:0;padding:.75rem;font:15px/1.5 system-ui,sans-serif;background:#fff;"
    "color:#1c2024;overflow-wrap:anywhere}table{border-collapse:collapse}td,th{padding:.2rem .5rem;"
    "border:1px solid #ddd}blockquote{margin:.5rem 0;padding-left:.75rem;border-left:3px solid #ddd}"
    "pre{white-space:pre-wrap}"
)

_STYLE_HASH = base64.b64encode(hashlib.sha256(FRAME_STYLE.encode()).digest()).decode()

FRAME_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'self'; base-uri 'none'; sandbox"
"""Of the frame with somebody's HTML: only our few lines of style; no script, form, image, link or origin."""

ALWAYS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), clipboard-read=()",
    "cache-control": "no-store",
    "x-robots-tag": "noindex, nofollow",
}

TLS_ONLY = "max-age=31536000"
"""Strict-Transport-Security (RFC 6797 §6.1), where the console is reached over TLS."""
