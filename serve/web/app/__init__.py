"""The app: pages for people over `streetloop.control.port.Control`, made with Gradio."""
