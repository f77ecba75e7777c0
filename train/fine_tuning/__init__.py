"""Fine-tuning on Ray Train around Ultralytics' trainer."""
