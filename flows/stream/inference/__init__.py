"""From mailboxes to a model's answers: batching, dispatching, routing, shadowing."""
