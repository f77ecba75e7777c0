"""The Label Studio labeler behind its SDK."""
