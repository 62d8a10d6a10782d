"""Tests of the pages: the site that is made of them, and the commands that they tell."""
