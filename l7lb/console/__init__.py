"""The console: read-only pages about the fleet for people who operate it, and the same as JSON.

Pure but for its templates: a visit goes in, a page comes out. Sockets, threads and what the portraits are drawn from do
not belong here; nothing in here can change anything.
"""
