"""Paints the demo's photos: a bicycle or a detail of one, before a sky, a wall or a workshop bench."""

import functools
import math
import random
import zlib

from backend.demo import jpeg

WIDTH, HEIGHT = 480, 360
_PICTURES = 18
"""How many different pictures there are; a name always shows the same one."""

Colour = tuple[int, int, int]
_PAINTS: tuple[Colour, ...] = (
    (196, 61, 47), (38, 92, 138), (58, 122, 84), (228, 178, 60), (92, 70, 120), (70, 78, 84), (214, 120, 60),
)  # fmt: skip
_BACKDROPS: tuple[tuple[Colour, Colour, Colour], ...] = (
    ((150, 190, 222), (224, 234, 238), (120, 124, 112)),  # sky over a road
    ((204, 186, 160), (222, 206, 182), (142, 112, 88)),  # a warm wall, wooden floor
    ((120, 128, 134), (160, 166, 168), (84, 86, 90)),  # workshop
    ((92, 116, 104), (150, 170, 140), (104, 96, 78)),  # hedge
    ((58, 66, 92), (128, 104, 118), (48, 48, 56)),  # evening
)


class Canvas:
    """Three planes in Y, Cb, Cr, painted in horizontal runs."""

    def __init__(self) -> None:
        self.planes = [[bytearray(WIDTH) for _ in range(HEIGHT)] for _ in range(3)]

    def run(self, y: int, left: float, right: float, colour: Colour) -> None:
        start, stop = max(0, round(left)), min(WIDTH, round(right))
        if 0 <= y < HEIGHT and start < stop:
            for plane, value in zip(self.planes, _ycbcr(colour), strict=True):
                plane[y][start:stop] = bytes((value,)) * (stop - start)

    def gradient(self, top: int, bottom: int, first: Colour, last: Colour) -> None:
        for y in range(top, bottom):
            share = (y - top) / max(1, bottom - top - 1)
            red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, last, strict=True))
            self.run(y, 0, WIDTH, (red, green, blue))

    def disc(self, x: float, y: float, radius: float, colour: Colour, flat: float = 1.0) -> None:
        for row in range(math.floor(y - radius * flat), math.ceil(y + radius * flat) + 1):
            inside = 1 - ((row - y) / (radius * flat)) ** 2
            if inside > 0:
                half = radius * math.sqrt(inside)
                self.run(row, x - half, x + half, colour)

    def ring(self, x: float, y: float, radius: float, width: float, colour: Colour) -> None:
        for row in range(math.floor(y - radius), math.ceil(y + radius) + 1):
            outer = radius**2 - (row - y) ** 2
            if outer <= 0:
                continue
            inner = max(0.0, (radius - width) ** 2 - (row - y) ** 2)
            self.run(row, x - math.sqrt(outer), x - math.sqrt(inner), colour)
            self.run(row, x + math.sqrt(inner), x + math.sqrt(outer), colour)

    def bar(self, x1: float, y1: float, x2: float, y2: float, width: float, colour: Colour) -> None:
        """A straight bar from one point to another."""
        steps = max(1, int(max(abs(x2 - x1), abs(y2 - y1)) / 2))
        for step in range(steps + 1):
            share = step / steps
            self.disc(x1 + (x2 - x1) * share, y1 + (y2 - y1) * share, width / 2, colour)


def _ycbcr(colour: Colour) -> tuple[int, int, int]:
    red, green, blue = colour
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return round(luma), round(128 + (blue - luma) * 0.564), round(128 + (red - luma) * 0.713)


def photo(name: str) -> bytes:
    """A JPEG file, always the same for the same name."""
    return jpeg.with_comment(_picture(zlib.crc32(name.encode()) % _PICTURES), name)


@functools.cache
def _picture(number: int) -> bytes:
    return jpeg.encode(_paint(number).planes)


def _paint(picture: int) -> Canvas:
    chance = random.Random(picture)
    canvas = Canvas()
    first, last, ground = _BACKDROPS[picture % len(_BACKDROPS)]
    horizon = chance.randrange(190, 260)
    canvas.gradient(0, horizon, first, last)
    canvas.gradient(horizon, HEIGHT, ground, _darker(ground, 0.8))
    paint = _PAINTS[picture % len(_PAINTS)]
    subjects = (_bicycle, _tube, _wheel, _bicycle, _parcel, _tube)
    subjects[picture * 5 // 3 % len(subjects)](canvas, paint, chance)
    return canvas


def _darker(colour: Colour, share: float) -> Colour:
    red, green, blue = colour
    return round(red * share), round(green * share), round(blue * share)


def _bicycle(canvas: Canvas, paint: Colour, chance: random.Random) -> None:
    left, ground, radius = chance.randrange(110, 150), chance.randrange(250, 290), chance.randrange(56, 70)
    right = left + radius * 3.1
    hub = ground - radius
    rubber: Colour = (34, 34, 36)
    canvas.disc((left + right) / 2, ground + 4, radius * 2.7, (60, 60, 60), flat=0.05)
    for x in (left, right):
        canvas.ring(x, hub, radius, 7, rubber)
        canvas.disc(x, hub, 7, (170, 172, 174))
        for spoke in range(6):
            angle = math.pi * spoke / 6 + 0.2
            dx, dy = math.cos(angle) * (radius - 8), math.sin(angle) * (radius - 8)
            canvas.bar(x - dx, hub - dy, x + dx, hub + dy, 1.6, (176, 178, 180))
    crank = (left + radius * 1.35, hub + 4)
    saddle = (left + radius * 1.05, hub - radius * 1.25)
    head = (right - radius * 0.5, hub - radius * 1.2)
    for x1, y1, x2, y2 in (
        (left, hub, *crank), (left, hub, *saddle), (*crank, *saddle), (*crank, *head),
        (saddle[0], saddle[1] + 12, *head), (*head, right, hub),
    ):  # fmt: skip
        canvas.bar(x1, y1, x2, y2, 8, paint)
    canvas.bar(crank[0], crank[1] - 6, crank[0] + radius * 0.45, crank[1] - radius * 0.75, 17, rubber)
    canvas.bar(saddle[0] - 16, saddle[1] - 12, saddle[0] + 18, saddle[1] - 12, 9, rubber)
    canvas.bar(head[0], head[1], head[0] - 6, head[1] - 22, 6, rubber)
    canvas.bar(head[0] - 6, head[1] - 22, head[0] + 20, head[1] - 26, 7, rubber)
    canvas.disc(*crank, 13, (90, 92, 94))


def _wheel(canvas: Canvas, paint: Colour, chance: random.Random) -> None:
    x, y = chance.randrange(190, 290), chance.randrange(160, 220)
    canvas.ring(x, y, 150, 20, (32, 32, 34))
    canvas.ring(x, y, 129, 6, (182, 184, 186))
    for spoke in range(12):
        angle = math.pi * spoke / 12 + 0.1
        dx, dy = math.cos(angle) * 124, math.sin(angle) * 124
        canvas.bar(x - dx, y - dy, x + dx, y + dy, 2, (190, 192, 194))
    canvas.disc(x, y, 34, (76, 78, 82))
    canvas.disc(x, y, 20, paint)
    canvas.disc(x + 60, y + 4, 9, (140, 74, 40))


def _tube(canvas: Canvas, paint: Colour, chance: random.Random) -> None:
    """A piece of frame from near, with a crack or a scratch in it."""
    slope = chance.randrange(-60, 60)
    canvas.bar(-20, 190 + slope, WIDTH + 20, 170 - slope, 120, _darker(paint, 0.75))
    canvas.bar(-20, 180 + slope, WIDTH + 20, 160 - slope, 84, paint)
    canvas.bar(-20, 152 + slope, WIDTH + 20, 132 - slope, 14, _lighter(paint))
    x, y = float(chance.randrange(160, 240)), 140.0
    for _ in range(9):
        step, fall = chance.randrange(4, 16), chance.randrange(6, 14)
        canvas.bar(x, y, x + step, y + fall, 3, (28, 24, 22))
        x, y = x + step - 6, y + fall


def _lighter(colour: Colour) -> Colour:
    red, green, blue = colour
    return (red + 255) // 2, (green + 255) // 2, (blue + 255) // 2


def _parcel(canvas: Canvas, paint: Colour, chance: random.Random) -> None:
    left, top = chance.randrange(90, 130), chance.randrange(90, 120)
    for y in range(top, 310):
        canvas.run(y, left, left + 270, (186, 148, 104))
    for y in range(top, 310):
        canvas.run(y, left + 118, left + 152, (214, 190, 150))
    for y in range(top + 90, top + 150):
        canvas.run(y, left + 170, left + 250, (240, 240, 236))
    for number in range(5):
        canvas.bar(left + 178, top + 100 + number * 9, left + 236 - number * 7, top + 100 + number * 9, 2, paint)
    canvas.bar(left + 8, 300, left + 60, 250, 22, (88, 66, 44))
