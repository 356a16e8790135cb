"""Faults over real connections and real processes: cut lines, portals, killed servers, full disks, wrong clocks, noise.

The simulator (tests/simulation) has the power cuts of the disk and all orders of messages; here the sockets, the HTTP
server and the files are the real ones.
"""
