"""Tests about the code, its settings and its pages. They read; none of them runs the product."""
