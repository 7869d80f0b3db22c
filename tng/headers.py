"""The security headers that every answer of ours carries, whoever gives it. Policies belong to the pages."""

from __future__ import annotations

HSTS = "max-age=31536000"
"""A year. Not for subdomains: what else stands below the same name is not ours to decide on."""

NEVER_USED = ("camera", "display-capture", "geolocation", "microphone", "midi", "payment", "serial", "usb")


def security_headers(public_url: str) -> dict[str, str]:
    """What every answer carries beside its Content-Security-Policy; a promise of TLS where ``public_url`` is https."""
    headers = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": ", ".join(f"{feature}=()" for feature in NEVER_USED),
    }
    return headers | ({"Strict-Transport-Security": HSTS} if public_url.startswith("https://") else {})
