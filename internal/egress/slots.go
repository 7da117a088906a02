package egress

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
)

// fill returns the request with the stand-ins of its context replaced by their secrets, each written as its place needs:
// in the address, in headers, in credentials of the kind Basic, and in the body. It is asked after the host was checked,
// and each secret says itself whether it may go there. The request that was given keeps its stand-ins: whoever looks at
// it later, in an answer or an error, sees nothing.
//
// Credentials may be encoded already, or be written "Basic user:STANDIN", which is encoded here.
//
// Only the first host is given secrets, and those that a redirect leads to on the same origin.
func (d *door) fill(r *http.Request) (*http.Request, error) {
	slots := secret.SlotsOf(r.Context())
	if slots == nil {
		return r, nil
	}
	f := filler{slots: slots, host: r.URL.Hostname()}
	if _, strange := hopsOf(r); strange {
		return r, f.nothingIn(r)
	}
	out := r.Clone(r.Context())
	f.address(out)
	f.headers(out)
	if f.err == nil {
		f.body(out, d.limits.JSONBytes)
	}
	if f.err != nil {
		return nil, f.refusal()
	}
	return out, nil
}

// nothingIn refuses a request to a host that is given no secrets when it has a stand-in.
func (f *filler) nothingIn(r *http.Request) error {
	holds := f.slots.Holds(r.URL.Host) || f.slots.Holds(r.URL.Path) || f.slots.Holds(r.URL.RawQuery)
	for _, values := range r.Header {
		holds = holds || slices.ContainsFunc(values, f.holds)
	}
	if holds {
		f.err = secret.ErrHost
		return f.refusal()
	}
	return nil
}

// refusal is the error of what could not be filled. It names no secret.
func (f *filler) refusal() error {
	var known *fault.Error
	switch {
	case errors.Is(f.err, secret.ErrHost):
		return refuse(&Denial{Host: f.host, Rule: ruleSecretHost})
	case errors.As(f.err, &known):
		return known
	}
	return &fault.Error{Op: "egress", Kind: fault.Invalid, Err: f.err}
}

// filler replaces stand-ins and keeps the first error.
type filler struct {
	slots *secret.Slots
	host  string
	err   error
}

func (f *filler) text(s string, escape func(string) string) string {
	filled, err := f.slots.Fill(s, f.host, escape)
	if err != nil && f.err == nil {
		f.err = err
	}
	return filled
}

func (f *filler) address(r *http.Request) {
	u := r.URL
	if f.slots.Holds(u.Host) {
		f.err = fault.Newf(fault.Invalid, "a host cannot be a secret")
		return
	}
	if f.slots.Holds(u.Path) {
		escaped := f.text(u.EscapedPath(), url.PathEscape)
		u.Path, u.RawPath = f.text(u.Path, nil), escaped
	}
	u.RawQuery = f.text(u.RawQuery, url.QueryEscape)
}

func (f *filler) headers(r *http.Request) {
	if r.Response != nil && f.slots.Holds(r.Header.Get("Referer")) {
		r.Header.Del("Referer") // the client put the address before there
	}
	for name, values := range r.Header {
		for i, v := range values {
			if !f.holds(v) {
				continue
			}
			filled := f.header(v)
			if hasControl(filled) && f.err == nil {
				f.err = fmt.Errorf("the secret for the header %s holds a line break or another control character", name)
			}
			values[i] = filled
		}
	}
}

// holds reports whether the value of a header has a stand-in, in the open or inside credentials.
func (f *filler) holds(v string) bool {
	_, inside := f.encoded(v)
	return inside || f.slots.Holds(v)
}

// header fills the value of a header.
func (f *filler) header(v string) string {
	if plain, ok := f.encoded(v); ok {
		return basic + encode(f.text(plain, nil))
	}
	filled := f.text(v, nil)
	if text, ok := cutBasic(filled); ok && strings.Contains(text, ":") { // which no base64 has
		return basic + encode(text)
	}
	return filled
}

// basic begins the value of a header with a user and a password, as RFC 7617 has it.
const basic = "Basic "

func cutBasic(v string) (text string, ok bool) {
	if len(v) < len(basic) || !strings.EqualFold(v[:len(basic)], basic) {
		return "", false
	}
	return strings.TrimLeft(v[len(basic):], " "), true
}

func encode(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// encoded returns the user and the password of a header of the kind Basic that has a stand-in inside its base64.
func (f *filler) encoded(v string) (plain string, ok bool) {
	text, ok := cutBasic(v)
	if !ok {
		return "", false
	}
	decoded, err := base64.StdEncoding.DecodeString(text)
	return string(decoded), err == nil && f.slots.Within(decoded)
}
