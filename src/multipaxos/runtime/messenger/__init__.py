"""
The messenger of a real server: what fits a datagram goes over UDP, what does not, or all, over TCP.

Read it in this order: peers knows the addresses, arrivals checks what comes; udp and frames,
stream_port, sending_connection, backoff and stream_sender carry it; peer_messenger chooses.
"""
