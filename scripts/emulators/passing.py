"""Ports of loopback for containers: the local stack listens nowhere else, and Docker's bridge is reached from nowhere else."""

import socket
import threading

BRIDGE = ["docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"]


def pass_on_all(gateway, ports):
    for port in sorted({int(port) for port in ports}):
        listener = socket.create_server((gateway, port))
        threading.Thread(target=serve, args=(listener, port), daemon=True).start()


def serve(listener, port):
    while True:
        client, _ = listener.accept()
        upstream = socket.create_connection(("127.0.0.1", port))
        for pair in ((client, upstream), (upstream, client)):
            threading.Thread(target=copy, args=pair, daemon=True).start()


def copy(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
