"""What all screens share: one look, one frame, and how a page is made of them."""
