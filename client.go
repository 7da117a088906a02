package sre

import "net/http"

// HTTPClient returns the client that agents reach the network with: it applies the egress policy of the configuration to
// every request and redirect. It belongs to the runtime; close what a request returns and nothing else.
func (rt *Runtime) HTTPClient() *http.Client { return rt.http }
