"""Real servers, and the browsers and people before them."""
