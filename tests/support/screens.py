"""Screen sizes that pages are tested on."""

PHONE = {"width": 320, "height": 640}
"""The smallest phone there is."""
