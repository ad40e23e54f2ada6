"""
The lab's own server: it hands out the page, and does what the page asks for.

It listens on this machine only, and answers its own page only. Read it in this order: service,
files, guard, pages, port.
"""
