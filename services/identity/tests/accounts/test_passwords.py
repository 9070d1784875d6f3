"""What a stored hash costs whoever steals it."""

from argon2 import PasswordHasher
from argon2.profiles import RFC_9106_LOW_MEMORY

from identity_service.accounts import passwords


async def test_a_hash_is_argon2id_at_the_cost_of_rfc_9106(real_hash_cost: None) -> None:
    stored = await passwords.hash_password("seven solar terms")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert not passwords.is_outdated(stored)
    assert await passwords.password_fits("seven solar terms", stored)
    assert not await passwords.password_fits("eight solar terms", stored)
    # That of nobody costs the same, or the time would tell who has an account.
    assert not PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY).check_needs_rehash(passwords._NOBODY)


async def test_a_hash_of_less_cost_is_made_anew_at_the_next_login(real_hash_cost: None) -> None:
    weaker = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash("seven solar terms")
    assert await passwords.password_fits("seven solar terms", weaker)
    assert passwords.is_outdated(weaker)
