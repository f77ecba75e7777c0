"""From mailboxes to the models' answers: batching, routing, dispatching, shadow comparison."""
