"""The methods of Tensor by family: names, signatures and defaults are PyTorch's; with ``axis=`` they answer as NumPy does."""
