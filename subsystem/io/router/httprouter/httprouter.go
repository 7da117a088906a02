// Package httprouter serves what teams mount over HTTP, on a listener of its own or inside of another server.
package httprouter

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/subsystem/io/router"
)

// Settings of the connector.
type Settings struct {
	BaseURL string `json:"baseUrl" sre:"allowEmpty" doc:"What public addresses begin with, such as https://agents.example.com/hooks. Needed behind a proxy; else the address that is listened on."`
	Listen  string `json:"listen" sre:"allowEmpty" doc:"The address to listen on, such as 127.0.0.1:5055; port 0 for a free one. Empty for none: then the program serves the routes itself."`
}

// Definition is the connector as configuration names it.
var Definition = connector.Define(router.Kind, "HTTPRouter", "Serves handlers of teams over HTTP.", open).
	WithDoc("What teams mount is public. Without `listen` nothing is opened. TLS is left to a proxy in front of it, which also takes a path in `baseUrl` off.")

// Router keeps the handlers of teams and serves them.
type Router struct {
	listen  string
	limits  limits.Limits
	env     connector.Env
	mu      sync.RWMutex
	base    string
	places  map[string]http.Handler // by resource, "team/name"
	running *running                // nil when it does not listen
}

func open(_ context.Context, env connector.Env, s Settings) (router.Connector, error) {
	r := &Router{listen: s.Listen, limits: limits.Default(), env: env, places: map[string]http.Handler{}}
	if s.BaseURL != "" {
		u, err := url.Parse(s.BaseURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, fault.Newf(fault.Invalid, "baseUrl is no address of a web server; write it like https://agents.example.com")
		}
		r.base = strings.TrimRight(s.BaseURL, "/")
	}
	return r, nil
}

// BaseURL is the configured one, or that of the listener.
func (r *Router) BaseURL() string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.base
}

// Mount implements [router.Connector].
func (r *Router) Mount(_ context.Context, g access.Grant[access.Owner], h http.Handler) error {
	place := g.Resource()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.places[place] != nil {
		return fault.Newf(fault.Conflict, "something is mounted at %s", place)
	}
	r.places[place] = h
	return nil
}

// Unmount implements [router.Connector].
func (r *Router) Unmount(_ context.Context, g access.Grant[access.Owner]) error {
	place := g.Resource()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.places[place] == nil {
		return fault.Newf(fault.NotFound, "nothing is mounted at %s", place)
	}
	delete(r.places, place)
	return nil
}

// ServeHTTP serves a request whose path is "/team/name" or below. Everything else is 404, alike whether there is no such
// team, no such place, or a path that climbs.
func (r *Router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	place, rest, ok := split(req.URL)
	var h http.Handler
	if ok {
		r.mu.RLock()
		h = r.places[place]
		r.mu.RUnlock()
	}
	if h == nil {
		http.NotFound(w, req)
		return
	}
	inner := new(http.Request)
	*inner = *req
	inner.URL = new(url.URL)
	*inner.URL = *req.URL
	inner.URL.Path, inner.URL.RawPath = rest.Path, rest.RawPath
	inner.Body = http.MaxBytesReader(w, req.Body, int64(r.limits.UploadBytes))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	h.ServeHTTP(w, inner)
}

// split takes "/team/name" off the path of an address. ok is false when it is not written plainly.
func split(u *url.URL) (place string, rest url.URL, ok bool) {
	raw := u.EscapedPath()
	team, below, found := strings.Cut(strings.TrimPrefix(raw, "/"), "/")
	if !found || !strings.HasPrefix(raw, "/") {
		return "", rest, false
	}
	name, tail, _ := strings.Cut(below, "/")
	rest.RawPath = "/" + tail
	path, err := url.PathUnescape(rest.RawPath)
	for segment := range strings.SplitSeq(team+"/"+name+"/"+path, "/") {
		if segment == "." || segment == ".." { // also when the slash beside it was escaped
			return "", rest, false
		}
	}
	rest.Path = path
	return router.Resource(team, name), rest, err == nil
}

var (
	_ router.Connector  = (*Router)(nil)
	_ http.Handler      = (*Router)(nil)
	_ connector.Starter = (*Router)(nil)
	_ connector.Closer  = (*Router)(nil)
)
