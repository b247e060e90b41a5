from ratchet.tasks.sampling import shuffled


def test_shuffled_depends_on_key_and_salt_only() -> None:
    items = [str(number) for number in range(30)]
    assert shuffled(items, key=str) == shuffled(items[::-1], key=str) != items
    assert shuffled(items, key=str, salt="a") != shuffled(items, key=str, salt="b")
    assert sorted(shuffled(items, key=str)) == sorted(items)
