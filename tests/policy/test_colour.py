"""Contrast as WCAG counts it."""

from itertools import product

from dsr.policy import colour


def test_contrast_is_that_of_the_standard() -> None:
    assert round(colour.contrast("#000000", "#ffffff"), 2) == 21
    assert round(colour.contrast("#777777", "#ffffff"), 2) == 4.48
    assert colour.contrast("#0b5f58", "#fbfaf8") == colour.contrast("#fbfaf8", "#0b5f58")


def test_an_accent_is_lightened_until_it_reads_on_a_dark_page() -> None:
    for red, green, blue in product(("00", "40", "80", "ff"), repeat=3):
        assert colour.contrast(colour.lightened(f"#{red}{green}{blue}"), colour.DARK_GROUND) >= colour.READABLE


def test_writing_on_a_colour_is_the_ink_that_reads_better() -> None:
    assert colour.text_on("#0b5f58") == colour.WHITE
    assert colour.text_on("#6fc8ba") == colour.DARK_INK
