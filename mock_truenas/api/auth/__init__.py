"""Who is logged in, how one gets to be, and how often one may try. Knows no frames and no headers."""
