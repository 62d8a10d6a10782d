"""The data plane of the CLB emulator: the load balancers that the control plane holds, served for real.

What it is
    A small HTTP/1.1 reverse proxy. Every listener of every load balancer is a listening socket on a loopback
    address (Linux answers on all of 127.0.0.0/8), so a test or a person can send requests through a load balancer
    and see which target answers, which certificate is shown, and what happens while targets come and go.

How to use it
    ``plane = DataPlane(port_offset=20000, probe_scale=0.1)``, then ``plane.apply(load_balancers)`` with the frozen
    values of ``views`` as often as anything changes. ``apply`` may be called from any thread; when it returns, the
    new state is served. Sockets that are still wanted stay open, kept-alive connections go on, requests under way
    end where they began. ``plane.health(...)`` answers what DescribeTargetHealth would; ``plane.counters`` says
    how many requests each rule and target had and how they ended; ``plane.ca_pem()`` is the authority to trust
    (``curl --cacert``). ``plane.stop()`` ends it, or use it in a ``with`` block.

What it does as the cloud does
    * host: exact, ``*.x``, ``x.*``, ``~regex``, else the default domain (CreateRule page and CLB's page on
      forwarding rules);
    * URL: ``=``, ``^~``, longest prefix, ``~`` and ``~*`` in order of creation, 301 to ``/x/``, 404 (the same page;
      the order is nginx's, on which CLB's layer 7 is built);
    * redirect rules (ManualRewrite and AutoRewrite pages); WRR, LEAST_CONN, IP_HASH, session cookie;
    * health: only ``Alive`` targets get requests, a new target is ``Unknown`` and gets none until it has passed its
      checks, when every judged target is ``Dead`` all of these get requests, weight 0 gets none but is checked
      (CLB's pages on health checks and weights).

What it does more strictly
    It never sends a request twice and never tries another target: a connection that is refused or reset is a 502
    and is counted. No idle backend connection is kept, so a 502 always means a target that was really gone.
    Ambiguous framing of a request is refused. A target that is not a loopback address is never dialled.

What it leaves out
    HTTP/2 (never offered to clients), QUIC, gRPC and TRPC forwarding (502 with a word), gzip, web sockets, layer-4
    listeners. A gRPC health check is done as a TCP connect.

Where things are
    ``views`` what the control plane hands over; ``served``, ``hosts``, ``urls``, ``redirects``, ``routes``,
    ``balancing``, ``health`` and ``http1`` decide and do no I/O; ``streams``, ``proxy``, ``upstream``, ``frontends``
    and ``prober`` talk to sockets; ``certificates`` makes throwaway certificates; ``counters`` counts; ``loop`` is the
    one thread (an event loop for all connections and all probes); ``plane`` puts them together.

Nothing here imports the product.
"""

from tests.emulators.clb.dataplane.plane import DataPlane

__all__ = ["DataPlane"]
