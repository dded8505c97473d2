"""The tools that keep the book true. They need the `book` extra; nnfp itself never imports them."""
