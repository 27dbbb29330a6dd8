"""What is put into a torch model or around it: sparse autoencoders, values beside the picture."""
