package egress

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// fill returns the request with the stand-ins of its context replaced by their secrets, each written as its place needs:
// in the address, in headers, and in a body of known length. It is asked after the host was checked, and each secret says
// itself whether it may go there. The request that was given keeps its stand-ins: whoever looks at it later, in an answer
// or an error, sees nothing.
//
// A header "Basic user:STANDIN" is encoded here, because a stand-in inside base64 could not be found.
func (d *door) fill(r *http.Request) (*http.Request, error) {
	slots := secret.SlotsOf(r.Context())
	if slots == nil {
		return r, nil
	}
	f := filler{slots: slots, host: r.URL.Hostname()}
	out := r.Clone(r.Context())
	f.address(out)
	f.headers(out)
	if err := f.body(out, d.limits.JSONBytes); err != nil {
		return nil, err
	}
	switch {
	case errors.Is(f.err, secret.ErrHost):
		return nil, refuse(&Denial{Host: f.host, Rule: ruleSecretHost})
	case f.err != nil:
		return nil, &fault.Error{Op: "egress", Kind: fault.Invalid, Err: f.err}
	}
	return out, nil
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
	for name, values := range r.Header {
		for i, v := range values {
			if !f.slots.Holds(v) {
				continue
			}
			filled := f.text(v, nil)
			if plain, ok := strings.CutPrefix(filled, "Basic "); ok && strings.Contains(plain, ":") {
				filled = "Basic " + base64.StdEncoding.EncodeToString([]byte(plain))
			}
			if hasControl(filled) && f.err == nil {
				f.err = fmt.Errorf("the secret for the header %s holds a line break or another control character", name)
			}
			values[i] = filled
		}
	}
}

// body fills a body. One that is too long to be held, or of unknown length, is sent as it is.
func (f *filler) body(r *http.Request, most int) error {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength <= 0 || r.ContentLength > int64(most) {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, int64(most)+1))
	if closing := r.Body.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	if len(text) > most {
		return fault.Limitf(limits.JSONBytes, "the body of the request is over %d bytes", most)
	}
	if f.slots.Holds(string(text)) {
		text = []byte(f.text(string(text), escapeFor(r.Header.Get("Content-Type"))))
	}
	r.ContentLength = int64(len(text))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }
	r.Body = io.NopCloser(bytes.NewReader(text))
	return nil
}

// escapeFor is how a text is written into a body of a type, nil for as it is.
func escapeFor(contentType string) func(string) string {
	kind, _, _ := strings.Cut(contentType, ";")
	switch kind = strings.ToLower(strings.TrimSpace(kind)); {
	case kind == "application/x-www-form-urlencoded":
		return url.QueryEscape
	case kind == "application/json" || strings.HasSuffix(kind, "+json"):
		return func(s string) string {
			quoted := value.AppendQuoted(nil, s)
			return string(quoted[1 : len(quoted)-1])
		}
	}
	return nil
}
