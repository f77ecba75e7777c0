"""What workers count about two models, as sums that add up, and the intervals drawn from them."""
