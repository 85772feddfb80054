"""Requests feeds and pages over HTTP, politely, from public addresses only and within limits.

`client` makes the requests. `guard` decides which addresses it may connect to, `connection` is one connection with its
limits, `headers` and `encodings` read what an answer says of itself and unpack it.
"""

from newsgen.fetch.network.client import NO_VALIDATORS, Client, Failure, Request, Response, Result, Validators

__all__ = ["NO_VALIDATORS", "Client", "Failure", "Request", "Response", "Result", "Validators"]
