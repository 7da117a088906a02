package web

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// keyResponse and keyHeaders are the outputs.
const keyResponse, keyHeaders = "Response", "Headers"

func runAPICall(ctx context.Context, call *component.Call, s *apiCallSettings, in component.Input) (value.Value, error) {
	if call.HTTP == nil {
		return value.Value{}, fault.Newf(fault.Unsupported, "there is no way out to the network")
	}
	call.LogDebug("=== API Call Log ===")
	t := newTexts(call, in, s.TemplateVars)
	ctx = secret.WithSlots(ctx, t.slots)
	if s.Timeout > 0 {
		var cancel context.CancelFunc
		late := fault.Newf(fault.Timeout, "timeout of %sms exceeded", value.FormatNumber(s.Timeout*1000))
		ctx, cancel = context.WithTimeoutCause(ctx, time.Duration(s.Timeout*float64(time.Second)), late)
		defer cancel()
	}
	out, err := s.request(ctx, t)
	if err != nil {
		call.LogError(err.Error())
	}
	return out, err
}

// request makes the request and sends it. What is wrong with the request itself is an error; what happens to it on its
// way is part of the output.
func (s *apiCallSettings) request(ctx context.Context, t *texts) (value.Value, error) {
	text, err := t.fill(ctx, strings.ReplaceAll(s.URL, "+", "%20"))
	if err != nil {
		return value.Value{}, err
	}
	to, err := parseTarget(text, t.slots)
	if err != nil {
		return value.Value{}, err
	}
	if to.note != "" {
		return failed(value.NullValue(), value.Obj(), "Unsupported protocol "+string(to.note)+":"), nil
	}
	release, err := t.publish(ctx, to.url)
	defer release()
	if err != nil {
		return value.Value{}, err
	}
	b, err := t.body(ctx, s.ContentType, s.Body)
	if err != nil {
		return value.Value{}, err
	}
	if most := limits.Default().JSONBytes; len(b.data) > most && t.slots.Holds(string(b.data)) {
		return value.Value{}, fault.Limitf(limits.JSONBytes, "LIMIT_EXCEEDED(%s): a body with a key of the vault has at most %d bytes", limits.JSONBytes, most)
	}
	req, err := http.NewRequestWithContext(ctx, s.Method, to.url.String(), bytes.NewReader(b.data))
	if err != nil {
		return value.Value{}, fault.New(fault.Invalid, err)
	}
	if b.data == nil {
		req.Body, req.GetBody = nil, nil
	}
	if req.Header, err = t.headers(ctx, s.Headers); err != nil {
		return value.Value{}, err
	}
	complete(req, s.ContentType, b)
	basic(req, to, t.slots)
	if ctx, err = t.proxy(ctx, s.Proxy); err != nil {
		return value.Value{}, err
	}
	if err := s.sign(ctx, t, req, b); err != nil {
		return value.Value{}, err
	}
	logRequest(t.call, req, b)
	return send(ctx, t, req.WithContext(ctx))
}

// complete adds the headers that the author left to the settings.
func complete(req *http.Request, contentType string, b body) {
	h := req.Header
	switch {
	case b.contentType != "":
		h.Set("Content-Type", b.contentType)
	case h.Get("Content-Type") != "":
	case contentType != "" && contentType != typeNone:
		h.Set("Content-Type", contentType)
	case req.Method == http.MethodPost, req.Method == http.MethodPut, req.Method == http.MethodPatch:
		h.Set("Content-Type", typeForm)
	}
	if h.Get("Accept") == "" {
		h.Set("Accept", "application/json, text/plain, */*")
	}
	if h.Get("User-Agent") == "" {
		h.Set("User-Agent", "sre")
	}
}

// basic sends the user that an address names as credentials, unless there are others. The door encodes what holds a key
// of the vault.
func basic(req *http.Request, to target, slots *secret.Slots) {
	if to.user == nil || req.Header.Get("Authorization") != "" {
		return
	}
	password, _ := to.user.Password()
	if plain := to.user.Username() + ":" + password; slots.Holds(plain) {
		req.Header.Set("Authorization", "Basic "+plain)
		return
	}
	req.SetBasicAuth(to.user.Username(), password)
}

// send sends a request and reads the answer.
func send(ctx context.Context, t *texts, req *http.Request) (value.Value, error) {
	client := *t.call.HTTP
	client.CheckRedirect = redirect
	res, err := client.Do(req)
	if err != nil {
		return trouble(ctx, err)
	}
	headers := answerHeaders(res)
	logAnswer(t.call, "Response headers:", headers)
	response, err := answer(ctx, t, res)
	switch {
	case err != nil && ctx.Err() != nil:
		return trouble(ctx, err)
	case err != nil:
		t.call.LogError(err.Error())
		return failed(response, headers, troubleText(err)), nil
	}
	logAnswer(t.call, "Response:", response)
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return failed(response, headers, "Request failed with status code "+strconv.Itoa(res.StatusCode)), nil
	}
	return value.Obj(value.M(keyResponse, response), value.M(keyHeaders, headers)), nil
}

// trouble is the output of a request without an answer. When the run itself has ended there is none.
func trouble(ctx context.Context, err error) (value.Value, error) {
	if ctx.Err() != nil {
		cause := context.Cause(ctx)
		if !fault.Is(cause, fault.Timeout) {
			return value.Value{}, cause
		}
		err = cause
	}
	return failed(value.NullValue(), value.Obj(), troubleText(err)), nil
}

func failed(response, headers value.Value, text string) value.Value {
	return value.Obj(value.M(keyResponse, response), value.M(keyHeaders, headers), value.M(component.KeyError, value.Of(text)))
}

// mostRedirects is how many redirects agents may rely on; the door to the network follows fewer.
const mostRedirects = 21

// redirect prepares the request that follows a redirect: it does not tell where it comes from, and without a body it
// says nothing of one.
func redirect(req *http.Request, via []*http.Request) error {
	if len(via) > mostRedirects {
		return errTooManyRedirects
	}
	req.Header.Del("Referer")
	if req.Body == nil && req.GetBody == nil && req.ContentLength == 0 {
		for _, name := range sortedNames(req.Header) {
			if strings.HasPrefix(name, "Content-") && via[0].ContentLength > 0 {
				req.Header.Del(name)
			}
		}
	}
	return nil
}
