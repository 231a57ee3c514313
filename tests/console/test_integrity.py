"""The page that checks the log: of an honest one, after the key changed hands, and after somebody edited a table."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from gateway.assembly import signer_of
from gateway.keyfile import finish_rotation, new_seed


def test_the_log_is_checked_from_the_browser(scene: Any) -> None:
    scene.hold("integrity")
    store, settings = scene.parts.store, scene.house.service.settings
    ada = scene.browser("ada")
    store.checkpoint_now(signer_of(settings))
    fine = ada.post("/integrity/verify")
    assert fine.status_code == 200 and "nothing was edited" in fine.text

    old, new = signer_of(settings), new_seed(settings.signing_key_file)
    store.rotate_now(old, new, "ada", "every year", "command")
    finish_rotation(settings.signing_key_file, store)
    fine = ada.post("/integrity/verify")
    assert "nothing was edited" in fine.text and new.public in fine.text and old.public not in fine.text

    with store.database.writer.begin() as connection:
        connection.execute(text("UPDATE outbox SET due = '2099-01-01 00:00:00', state = 'waiting'"))
    bad = ada.post("/integrity/verify")
    assert bad.status_code == 200 and "Something is not as it was written" in bad.text
    assert "the history says sent" in bad.text
