"""`make demo`: the main job shown with the shipped command, on emulators. Nothing here imports the product."""
