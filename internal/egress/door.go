package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
)

// door is the transport of the client: it checks a request, sends it, and bounds the answer.
type door struct {
	rules     *rules
	limits    limits.Limits
	events    *event.Bus
	resolver  Resolver
	connect   connector
	transport *http.Transport

	configured *http.Transport // to addresses that the operator wrote down
}

// RoundTrip implements [http.RoundTripper].
func (d *door) RoundTrip(r *http.Request) (*http.Response, error) {
	o, err := d.prepare(r)
	if err == nil {
		var sent *http.Request
		if sent, err = d.fill(o.request); err == nil {
			var resp *http.Response
			if resp, err = d.way(o.request).RoundTrip(sent); err == nil {
				return d.bound(o, resp)
			}
			err = explain(o.request.Context(), err)
		}
		o.cancel()
	} else if r.Body != nil {
		_ = r.Body.Close() // as the interface demands; nothing was sent
	}
	if denial := denialOf(err); denial != nil {
		event.Publish(r.Context(), d.events, denial.decision(r.URL.Scheme))
	}
	return nil, err
}

// outgoing is a request on its way.
type outgoing struct {
	request *http.Request // a copy of the caller's, whose context ends with the time of the request
	cancel  context.CancelFunc
	unpack  bool // the answer is unpacked: nobody asked for a packed one or for a part of one
}

// prepare checks a request and returns what is sent for it.
func (d *door) prepare(r *http.Request) (outgoing, error) {
	switch {
	case r.URL == nil:
		return outgoing{}, fault.Newf(fault.Invalid, "the request has no URL")
	case d.rules.Closed:
		return outgoing{}, refuse(&Denial{Host: r.URL.Host, Rule: ruleClosed})
	case r.URL.Scheme != "http" && r.URL.Scheme != "https":
		return outgoing{}, refuse(&Denial{Host: r.URL.Host, Rule: ruleScheme})
	case r.URL.User != nil:
		return outgoing{}, refuse(&Denial{Host: r.URL.Host, Rule: ruleCredentials})
	}
	header, err := d.checkHop(r)
	if err != nil {
		return outgoing{}, err
	}
	if field := unfit(r, header); field != "" {
		return outgoing{}, refuse(&Denial{Host: r.URL.Hostname(), Rule: ruleHeader, Field: field})
	}
	ctx, cancel := d.patience(r)
	if proxyOf(ctx) != nil {
		if err := d.checkBehindProxy(ctx, r); err != nil {
			cancel()
			return outgoing{}, err
		}
	}
	o := outgoing{request: r.Clone(ctx), cancel: cancel}
	if o.request.Header = header.Clone(); o.request.Header == nil {
		o.request.Header = http.Header{}
	}
	if header.Get("Accept-Encoding") == "" && header.Get("Range") == "" && r.Method != http.MethodHead {
		o.unpack = true
		o.request.Header.Set("Accept-Encoding", "gzip")
	}
	return o, nil
}

// checkBehindProxy asks the policy about the destination, which the proxy connects to and not we.
func (d *door) checkBehindProxy(ctx context.Context, r *http.Request) error {
	host, p, err := split(net.JoinHostPort(r.URL.Hostname(), port(r.URL)))
	if err != nil {
		return err
	}
	allow := d.allow
	if configured(r) {
		allow = d.allowConfigured
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
		o.cancel()
		return resp, nil
	}
	if resp.ContentLength > int64(d.limits.ResponseBytes) && o.request.Method != http.MethodHead {
		_ = resp.Body.Close() // nothing of it was wanted
		o.cancel()
		return nil, fault.Limitf(limits.ResponseBytes, "the answer announces %d bytes, over the limit of %d", resp.ContentLength, d.limits.ResponseBytes)
	}
	b := &body{ctx: o.request.Context(), cancel: o.cancel, raw: &counted{ReadCloser: resp.Body}, limits: d.limits}
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
func (d *door) CloseIdleConnections() {
	d.transport.CloseIdleConnections()
	d.configured.CloseIdleConnections()
}

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
