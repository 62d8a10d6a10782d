"""Tests of the console's pages: pure, a visit in and a page out."""
