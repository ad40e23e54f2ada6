"""
The lab: runs to be seen, stepped through, and changed by hand.

Python plays a script and explains its trace; the page draws it and sends commands. Read it in this
order: play, judging, forking, run; explain. Here no socket is opened and nothing is drawn.
"""
