"""
The TCP port for clients: it speaks the protocol of Redis.

Read it in this order: request_reader and request_lines take bytes apart; commands, with its tables,
says what a request asks for; connection performs that; port has the connections.
"""
