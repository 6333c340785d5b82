"""The reporter's side: reports come in, are tracked by key, and are answered."""
