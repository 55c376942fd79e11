"""The pages: one file each, with a function `page()` that is called inside the frame."""
