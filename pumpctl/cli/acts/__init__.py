"""The screens of the kinds of act: what stands between the head and the challenge of each."""
