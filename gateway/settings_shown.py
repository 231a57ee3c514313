"""The settings as people read them: a file to start from, and the table of the README.

`python -m gateway.settings_shown` prints the table.
"""

from __future__ import annotations

from gateway.config import PREFIX, SETTINGS, Setting


def example_file() -> str:
    """A settings file with every setting commented out at its default."""
    out = [
        "# Settings of the referral gateway. Every line stands at its default; remove the # to change one.",
        f"# A flag of serve beats the environment ({PREFIX}<NAME>), which beats this file.",
        "# Relative paths start at this file's folder. Secrets do not belong here: see upstream_password_file.",
        "",
    ]
    group = ""
    for row in SETTINGS:
        if row.secret:
            continue
        if row.group != group:
            group = row.group
            out += [f"# --- {group} ---", ""]
        out += [f"# {row.help}.", f"#{row.name} = {_toml(row)}", ""]
    return "\n".join(out)


def readme_table() -> str:
    """The settings as a Markdown table."""
    out = ["| setting | kind | default | what it does |", "| --- | --- | --- | --- |"]
    for row in SETTINGS:
        where = f" (only as {row.variable})" if row.secret else ""
        default = "" if not row.default else row.default if row.computed else f"`{row.default}`"
        out.append(f"| `{row.name}` | {row.kind.name} | {default} | {row.help}{where} |")
    return "\n".join(out)


def _toml(row: Setting) -> str:
    """The default as TOML; for a computed one an empty text, which means the default."""
    if row.computed:
        return '""' + (f"  # {row.default}" if row.default else "")
    if row.kind.many:
        return "[" + ", ".join(f'"{word}"' for word in row.default.split()) + "]"
    if row.kind.switch or row.default.isdigit():
        return row.default
    return f'"{row.default}"'


if __name__ == "__main__":
    print(readme_table())
