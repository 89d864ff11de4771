"""`rag serve`: models kept warm behind a Unix socket, for questions asked one at a time."""
