"""What the screens say in words."""

from csp.face.screen.wording import counted


def test_one_is_not_several() -> None:
    assert [counted(count, "image") for count in (0, 1, 1600)] == ["0 images", "1 image", "1,600 images"]
