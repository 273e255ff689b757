"""Objects in pictures: a class and a box for each."""
