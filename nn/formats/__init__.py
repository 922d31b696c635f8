"""Files of arrays: what is read is checked whole before anything is allocated, and what is written replaces a file at once."""
