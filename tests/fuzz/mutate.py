"""Bytes that were good once: flipped, cut, repeated, spliced, with absurd numbers in them."""

import random

_ABSURD = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
           0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF]  # fmt: skip


def mutated(seeds: list[bytes], choose: random.Random) -> bytes:
    """Return one of the seeds after one to eight changes; most changes hit its first kilobyte."""
    data = bytearray(choose.choice(seeds))
    for _ in range(choose.randrange(1, 9)):
        choose.choice(_CHANGES)(data, seeds, choose)
    return bytes(data)


def _place(data: bytearray, choose: random.Random) -> int:
    size = len(data) + 1
    return choose.randrange(min(size, 1024) if choose.random() < 0.7 else size)


def _flip(data: bytearray, seeds: list[bytes], choose: random.Random) -> None:
    for _ in range(choose.randrange(1, 5)):
        place = _place(data, choose)
        if place < len(data):
            data[place] ^= 1 << choose.randrange(8)


def _overwrite(data: bytearray, seeds: list[bytes], choose: random.Random) -> None:
    number, size = choose.choice(_ABSURD), choose.choice([1, 2, 4, 8])
    content = (number & (1 << 8 * size) - 1).to_bytes(size, choose.choice(["big", "little"]))
    place = _place(data, choose)
    data[place : place + size] = content


def _cut(data: bytearray, seeds: list[bytes], choose: random.Random) -> None:
    del data[_place(data, choose) :]


def _lose(data: bytearray, seeds: list[bytes], choose: random.Random) -> None:
    place = _place(data, choose)
    del data[place : place + choose.randrange(1, 64)]


def _insert(data: bytearray, seeds: list[bytes], choose: random.Random) -> None:
    place = _place(data, choose)
    data[place:place] = choose.randbytes(choose.randrange(1, 32))


def _repeat(data: bytearray, seeds: list[bytes], choose: random.Random) -> None:
    place = _place(data, choose)
    data[place:place] = data[place : place + choose.randrange(1, 256)]


def _splice(data: bytearray, seeds: list[bytes], choose: random.Random) -> None:
    other = choose.choice(seeds)
    place = choose.randrange(len(other) + 1)
    data[_place(data, choose) :] = other[place : place + 4096]


_CHANGES = [_flip, _flip, _overwrite, _overwrite, _cut, _lose, _insert, _repeat, _splice]
