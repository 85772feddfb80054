"""Distances in words."""


def kilometres(distance: float) -> str:
    return f"{distance:g} km"
