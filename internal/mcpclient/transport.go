package mcpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/childprocess"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/internal/untrusted"
	"github.com/sre-go/sre/secret"
)

// dial makes a connection. ctx bounds that; the connection lives as long as the session.
func (s *Session) dial(ctx context.Context) error {
	if s.server.Command != nil {
		child, err := childprocess.Start(s.ctx, *s.server.Command)
		if err != nil {
			return err
		}
		s.child = child
		s.open, err = s.client().Connect(ctx, &mcp.IOTransport{Reader: io.NopCloser(child), Writer: stdin{child}}, nil)
		return err
	}
	at, err := url.Parse(s.server.URL)
	if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Hostname() == "" {
		return fault.Newf(fault.Invalid, "the address of the MCP server is no address of the web")
	}
	door, err := s.door(at)
	if err != nil {
		return err
	}
	s.open, err = s.client().Connect(ctx, &mcp.StreamableClientTransport{Endpoint: s.server.URL, HTTPClient: door.client, DisableStandaloneSSE: true, MaxRetries: -1}, nil)
	if err == nil || ctx.Err() != nil {
		return err
	}
	switch status := int(door.refused.Load()); status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusBadRequest:
	case http.StatusNotAcceptable, http.StatusUnsupportedMediaType:
		return fault.Newf(fault.Unavailable, "the server does not accept JSON and event streams (status %d): it is no MCP server of today", status)
	default:
		return explain(err, status)
	}
	// The stream is a request that lasts as long as the connection, so it is made with the session's context; the end of
	// ctx ends it before it stands.
	life, end := context.WithCancel(s.ctx)
	stop := context.AfterFunc(ctx, end)
	s.open, err = s.client().Connect(life, &mcp.SSEClientTransport{Endpoint: s.server.URL, HTTPClient: door.client}, nil)
	if err != nil {
		end()
		return explain(err, int(door.refused.Load()))
	}
	if !stop() {
		return context.Cause(ctx)
	}
	context.AfterFunc(s.ctx, end)
	return nil
}

// stdin closes the input of a program.
type stdin struct{ *childprocess.Process }

// explain says what a server answered, in a form that helps.
func explain(err error, status int) error {
	switch {
	case fault.KindOf(err) != fault.Internal:
		return err
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fault.Hint(fault.Newf(fault.Unauthenticated, "the MCP server answered with status %d", status), "give it a header with a key, or auth with a connection, in mcp.servers of the configuration")
	case status != 0:
		return fault.Newf(fault.Unavailable, "the MCP server answered with status %d", status)
	}
	return fault.Newf(fault.Unavailable, "%s", untrusted.Text(err.Error(), maxSaid))
}

// door is the way to one server. It is the client of the runtime, narrowed to one address.
type door struct {
	next    http.RoundTripper
	at      *url.URL
	address string // of the operator, "" for that of an agent
	headers map[string]string
	bearer  Token // nil for none
	slots   *secret.Slots
	client  *http.Client
	refused atomic.Int64 // status of the last answer that was none, 0 for none
}

func (s *Session) door(at *url.URL) (*door, error) {
	d := &door{next: s.o.HTTP.Transport, at: at, headers: map[string]string{}, bearer: s.server.Bearer}
	if d.next == nil {
		return nil, errors.New("the client of the runtime has no transport")
	}
	if s.server.Near {
		d.address = s.server.URL
	}
	if len(s.server.Headers) > 0 || d.bearer != nil {
		d.slots = secret.NewSlots(s.o.NewID())
	}
	for name, v := range s.server.Headers {
		d.headers[name] = d.slots.Put(v.Only(at.Hostname())) // no other server is given it
	}
	client := *s.o.HTTP
	client.Transport = d
	d.client = &client
	return d, nil
}

// RoundTrip sends a request to the server and to nobody else: neither a redirect nor a message address leads away.
func (d *door) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.EqualFold(r.URL.Host, d.at.Host) || r.URL.Scheme != d.at.Scheme {
		return nil, fault.Newf(fault.Denied, "the MCP server leads to another server, %s", untrusted.Text(r.URL.Host, maxSaid))
	}
	res, err := d.ask(r)
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= 400 {
		d.refused.Store(int64(res.StatusCode))
	}
	return res, nil
}

// ask sends a request, with an access token when the server wants one. A token that the server refuses although it is not at
// its end is renewed, once.
func (d *door) ask(r *http.Request) (*http.Response, error) {
	if d.bearer == nil {
		return d.send(r, secret.Value{})
	}
	token, err := d.bearer(r.Context(), secret.Value{})
	if err != nil {
		return nil, err
	}
	res, err := d.send(r, token)
	if err != nil || res.StatusCode != http.StatusUnauthorized || r.Body != nil && r.GetBody == nil {
		return res, err
	}
	next, failed := d.bearer(r.Context(), token)
	if failed != nil || next.Reveal() == token.Reveal() {
		return res, nil // what was refused stays refused
	}
	again := r.Clone(r.Context())
	if r.Body != nil {
		if again.Body, err = r.GetBody(); err != nil {
			return res, nil
		}
	}
	if err := res.Body.Close(); err != nil {
		return nil, fmt.Errorf("%w", err)
	}
	return d.send(again, next)
}

// send sends a request as it goes to this server.
func (d *door) send(r *http.Request, token secret.Value) (*http.Response, error) {
	ctx := limits.WithRequestTime(r.Context(), sessionTime)
	if d.address != "" {
		ctx = access.WithConfigured(ctx, d.address)
	}
	if d.slots != nil {
		ctx = secret.WithSlots(ctx, d.slots)
	}
	r = r.Clone(ctx)
	for name, v := range d.headers {
		r.Header.Set(name, v)
	}
	if !token.IsZero() {
		r.Header.Set("Authorization", "Bearer "+d.slots.Put(token.Only(d.at.Hostname())))
	}
	res, err := d.next.RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("%w", err)
	}
	return res, nil
}
