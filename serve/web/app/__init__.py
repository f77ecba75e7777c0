"""The app: pages for people over `streetloop.control.Control`, made with Gradio."""
