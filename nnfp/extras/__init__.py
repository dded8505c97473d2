"""What needs more than NumPy. Nothing in nnfp imports this package by itself."""
