"""Whatever comes in from outside, a value, a problem or an error of ours comes out, and what is written is small."""
