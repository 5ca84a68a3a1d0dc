"""Networks that only training uses: they judge a generator's output."""
