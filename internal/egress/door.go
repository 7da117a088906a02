package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
)

// door is the transport of the client: it checks a request, sends it, and bounds the answer.
type door struct {
	rules    *rules            // of everyone
	teams    map[string]*rules // of the teams that have their own
	limits   limits.Limits
	events   *event.Bus
	resolver Resolver
	connect  connector
	tune     func(*http.Transport) // changes each transport; nil for nothing
	pools    pools
	own      own
}

// RoundTrip implements [http.RoundTripper].
func (d *door) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := d.send(r)
	if denial := denialOf(err); denial != nil {
		event.Publish(r.Context(), d.events, denial.decision(r.Context(), r.URL.Scheme))
	}
	return resp, err
}

// send checks a request, sends it and puts the limits around its answer.
func (d *door) send(r *http.Request) (*http.Response, error) {
	o, err := d.prepare(r)
	if err != nil {
		closeBody(r)
		return nil, err
	}
	sent, err := d.fill(o.request)
	if err == nil {
		sent, err = d.own.mark(sent)
	}
	if err != nil {
		o.end()
		closeBody(r)
		return nil, err
	}
	sent = atOnce(sent)
	way, release := d.pools.take(access.ActingOf(r.Context()).Team, o.kind)
	o.release = sync.OnceFunc(release)
	resp, err := way.RoundTrip(sent)
	if err != nil {
		err = explain(o.request.Context(), err)
		o.end()
		return nil, viaProxy(o.request.Context(), err)
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return d.switched(r.Context(), o, resp)
	}
	return d.bound(o, resp)
}

// closeBody closes the body of a request that is not sent, as [http.RoundTripper] demands.
func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close() // nobody reads it
	}
}

// rulesOf returns the rules for whoever acts in a context.
func (d *door) rulesOf(ctx context.Context) *rules {
	if own := d.teams[access.ActingOf(ctx).Team]; own != nil {
		return own
	}
	return d.rules
}

// outgoing is a request on its way.
type outgoing struct {
	request *http.Request // a copy of the caller's, whose context ends with the time of the request
	cancel  context.CancelFunc
	release func() // gives its connections back to the team; nil until it has some
	kind    kind
	unpack  bool // the answer is unpacked: nobody asked for a packed one or for a part of one
}

// end lets go of what a request holds. It may be called more than once.
func (o outgoing) end() {
	o.cancel()
	if o.release != nil {
		o.release()
	}
}

// prepare checks a request and returns what is sent for it.
func (d *door) prepare(r *http.Request) (outgoing, error) {
	if r.URL == nil {
		return outgoing{}, fault.Newf(fault.Invalid, "the request has no URL")
	}
	rules := d.rulesOf(r.Context())
	switch {
	case rules.closed != "":
		return outgoing{}, refuse(&Denial{Host: r.URL.Host, Rule: ruleClosed, Setting: rules.shut().setting})
	case r.URL.Scheme != "http" && r.URL.Scheme != "https":
		return outgoing{}, refuse(&Denial{Host: r.URL.Host, Rule: ruleScheme})
	case r.URL.User != nil:
		return outgoing{}, refuse(&Denial{Host: r.URL.Host, Rule: ruleCredentials})
	}
	header, err := d.checkHop(r)
	if err != nil {
		return outgoing{}, err
	}
	if header, err = askUpgrade(r, header); err != nil {
		return outgoing{}, err
	}
	if field := unfit(r, header); field != "" {
		return outgoing{}, refuse(&Denial{Host: r.URL.Hostname(), Rule: ruleHeader, Field: field})
	}
	ctx, cancel := d.patience(r)
	if proxy := proxyOf(ctx); proxy != nil {
		err := checkProxy(proxy)
		if err == nil {
			err = d.checkBehindProxy(ctx, r, rules)
		}
		if err != nil {
			cancel()
			return outgoing{}, err
		}
	}
	o := outgoing{request: r.WithContext(ctx), cancel: cancel, kind: kindOf(r)}
	address := *r.URL
	o.request.URL = &address // a copy, which later hops are compared with
	if o.request.Header = header.Clone(); o.request.Header == nil {
		o.request.Header = http.Header{}
	}
	if protocol := upgradeOf(ctx); protocol != "" {
		o.request.Header.Set("Connection", "Upgrade")
		o.request.Header.Set("Upgrade", protocol)
	} else if header.Get("Accept-Encoding") == "" && header.Get("Range") == "" && r.Method != http.MethodHead {
		o.unpack = true
		o.request.Header.Set("Accept-Encoding", "gzip")
	}
	return o, nil
}

// checkBehindProxy asks the policy about the destination, which the proxy connects to and not we.
func (d *door) checkBehindProxy(ctx context.Context, r *http.Request, rules *rules) error {
	host, p, err := split(net.JoinHostPort(r.URL.Hostname(), port(r.URL)))
	if err != nil {
		return err
	}
	allow := rules.allow
	if configured(r) {
		allow = rules.allowConfigured
	}
	if _, err := d.resolve(ctx, host, p, allow); err != nil {
		return explain(ctx, err)
	}
	return nil
}

// patience bounds a request in time. The hops of one request share its time.
func (d *door) patience(r *http.Request) (context.Context, context.CancelFunc) {
	total := limits.RequestTimeOf(r.Context(), d.limits.RequestTime)
	late := overTime(limits.RequestTime, "no complete answer within %s", total)
	if before := r.Response; before != nil && before.Request != nil {
		if deadline, ok := before.Request.Context().Deadline(); ok {
			return context.WithDeadlineCause(r.Context(), deadline, late)
		}
	}
	return context.WithTimeoutCause(r.Context(), total, late)
}

// bound puts the limits around an answer.
func (d *door) bound(o outgoing, resp *http.Response) (*http.Response, error) {
	resp.Request = o.request // the next hop finds this one, with its deadline, through its answer
	if resp.Body == nil || resp.Body == http.NoBody {
		o.end()
		return resp, nil
	}
	if resp.ContentLength > int64(d.limits.ResponseBytes) && o.request.Method != http.MethodHead {
		_ = resp.Body.Close() // nothing of it was wanted
		o.end()
		return nil, fault.Limitf(limits.ResponseBytes, "the answer announces %d bytes, over the limit of %d", resp.ContentLength, d.limits.ResponseBytes)
	}
	b := &body{ctx: o.request.Context(), done: o.end, raw: &counted{ReadCloser: resp.Body}, limits: d.limits}
	if o.unpack && strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		b.gzip = true
		resp.Header.Del("Content-Encoding")
		resp.Header.Del("Content-Length")
		resp.ContentLength, resp.Uncompressed = -1, true
	}
	resp.Body = b
	return resp, nil
}

// CloseIdleConnections gives idle connections back; [http.Client.CloseIdleConnections] calls it.
func (d *door) CloseIdleConnections() { d.pools.closeIdle() }

// explain gives an error of the network its kind. What a limit or a rule ended is told as that.
func explain(ctx context.Context, err error) error {
	var known *fault.Error
	switch {
	case errors.As(err, &known):
		return known
	case ctx.Err() != nil && errors.As(context.Cause(ctx), &known):
		return known
	case strings.Contains(err.Error(), "response headers exceeded"), strings.Contains(err.Error(), "response header list larger"):
		return fault.Limitf(limits.HeaderBytes, "the headers of the answer are too long")
	case strings.Contains(err.Error(), "TLS handshake timeout"):
		return overTime(limits.ConnectTime, "the server did not answer the handshake in time")
	}
	kind := fault.KindOf(err)
	if kind == fault.Internal {
		kind = fault.Unavailable
	}
	return &fault.Error{Op: "egress", Kind: kind, Err: err}
}

// overTime is the error of a limit on time.
func overTime(name, format string, args ...any) error {
	return &fault.Error{Kind: fault.Timeout, Code: "LIMIT_EXCEEDED(" + name + ")", Err: fmt.Errorf(format, args...)}
}

var _ http.RoundTripper = (*door)(nil)
