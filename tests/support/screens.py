"""The screens pages are looked at on."""

PHONE = {"width": 320, "height": 640}
"""The smallest phone there is."""
