package llm

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Rest is how a connector without a library of its provider asks it: JSON over the way out of the runtime. It follows no
// redirects, bounds what it reads, and gives every failure its kind. It is safe for concurrent use while it is not changed.
type Rest struct {
	HTTP *http.Client // nil for none: everything is refused as [fault.Unsupported]
	// Bytes bounds an answer, or one piece of a streamed one, 0 for the usual bound of JSON.
	Bytes int
	// Refused reads the answer of a provider that refused. A body that is no JSON is given as text.
	Refused func(status int, body value.Value) Refusal
	// Clock is what a date in Retry-After counts from when the answer tells no time of its own, nil for none.
	Clock effect.Source
	// Unreached says what to do when the provider cannot be reached, "" for what the network says.
	Unreached string
}

// Refusal is what a provider says when it refuses. The zero value of a field leaves it to the status of HTTP.
type Refusal struct {
	Message string        // in its own words
	Hint    string        // what to do
	Kind    fault.Kind    // when the status would mislead
	After   time.Duration // how long it wants to be left alone
}

// Err returns the error of a refusal with a status of HTTP, 0 for one in the middle of an answer.
func (r Refusal) Err(status int) error {
	if r.Kind == 0 && status == 0 {
		r.Kind = fault.Unavailable
	}
	err := RefusedFor(status, r.Message, r.After)
	if r.Kind != 0 {
		err = fault.New(r.Kind, &ProviderError{Status: status, Message: r.Message, RetryAfter: r.After})
	}
	if r.Hint == "" {
		return err
	}
	return fault.Hint(err, "%s", r.Hint)
}

// maxRefusal bounds what is read of a refusal, in bytes.
const maxRefusal = 64 << 10

// Ask posts a body and returns the whole answer.
func (r *Rest) Ask(ctx context.Context, address string, header http.Header, body value.Value) (value.Value, error) {
	answer, err := r.Send(ctx, http.MethodPost, address, header, "application/json", body.Append(nil))
	if err != nil {
		return value.Value{}, err
	}
	return r.Whole(ctx, answer)
}

// Whole reads an answer and closes it.
func (r *Rest) Whole(ctx context.Context, answer *http.Response) (value.Value, error) {
	defer func() { _ = answer.Body.Close() }() // what it says was read
	bound := r.bound()
	data, err := io.ReadAll(io.LimitReader(answer.Body, int64(bound)+1))
	if err != nil {
		return value.Value{}, r.broken(ctx, err)
	}
	if len(data) > bound {
		return value.Value{}, tooLong(bound)
	}
	return r.Decode(data)
}

// Decode reads JSON of the provider.
func (r *Rest) Decode(data []byte) (value.Value, error) {
	v, err := value.Decode(data, value.Limits{Bytes: r.bound(), Duplicates: true})
	if err != nil {
		return value.Value{}, fault.Newf(fault.Unavailable, "the provider sent something that cannot be read: %w", err)
	}
	return v, nil
}

// Lines posts a body and gives the lines of the answer that are not empty, without their ends. A line belongs to the caller
// until the next one.
func (r *Rest) Lines(ctx context.Context, address string, header http.Header, body value.Value) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for line, err := range r.lines(ctx, address, header, body) {
			if err == nil && len(line) == 0 {
				continue
			}
			if !yield(line, err) {
				return
			}
		}
	}
}

// Events posts a body and gives the data of the server-sent events of the answer. An event that has not ended is none.
func (r *Rest) Events(ctx context.Context, address string, header http.Header, body value.Value) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var data []byte
		any := false
		for line, err := range r.lines(ctx, address, header, body) {
			if err != nil {
				yield(nil, err)
				return
			}
			if len(line) == 0 {
				if any && !yield(data, nil) {
					return
				}
				data, any = data[:0], false
				continue
			}
			more, ok := bytes.CutPrefix(line, []byte("data:"))
			if !ok {
				continue
			}
			if any {
				data = append(data, '\n')
			}
			if data, any = append(data, bytes.TrimPrefix(more, []byte(" "))...), true; len(data) > r.bound() {
				yield(nil, tooLong(r.bound()))
				return
			}
		}
	}
}

func (r *Rest) lines(ctx context.Context, address string, header http.Header, body value.Value) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		answer, err := r.Send(ctx, http.MethodPost, address, header, "application/json", body.Append(nil))
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = answer.Body.Close() }() // what it says was read
		lines := bufio.NewScanner(answer.Body)
		lines.Buffer(make([]byte, 0, min(4<<10, r.bound()+1)), r.bound()+1)
		for lines.Scan() {
			if !yield(bytes.TrimSuffix(lines.Bytes(), []byte("\r")), nil) {
				return
			}
		}
		switch err := lines.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			yield(nil, tooLong(r.bound()))
		case err != nil:
			yield(nil, r.broken(ctx, err))
		}
	}
}

// Send sends a request, with a body of a type or without one, and returns the answer of a provider that did not refuse. The
// caller closes it.
func (r *Rest) Send(ctx context.Context, method, address string, header http.Header, contentType string, body []byte) (*http.Response, error) {
	if r.HTTP == nil {
		return nil, fault.Newf(fault.Unsupported, "there is no way to the network")
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, fault.Hint(fault.Newf(fault.Invalid, "the address of the provider cannot be read"), "correct baseURL of the model or of its connector")
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	door := *r.HTTP
	door.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := door.Do(req)
	if err != nil {
		return nil, r.broken(ctx, err)
	}
	if answer.StatusCode/100 != 2 {
		return nil, r.refused(ctx, answer)
	}
	return answer, nil
}

// refused reads why a provider refused, and closes its answer.
func (r *Rest) refused(ctx context.Context, answer *http.Response) error {
	defer func() { _ = answer.Body.Close() }() // what it says was read
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxRefusal))
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		data = nil // the status says enough
	}
	body, err := value.Decode(data, value.Limits{Bytes: maxRefusal, Duplicates: true})
	if err != nil {
		body = value.Of(strings.TrimSpace(string(data)))
	}
	var said Refusal
	if r.Refused != nil {
		said = r.Refused(answer.StatusCode, body)
	}
	if after := AskedFor(answer.Header, r.Clock); after > 0 {
		said.After = after
	}
	if said.Message == "" {
		said.Message = http.StatusText(answer.StatusCode)
	}
	return said.Err(answer.StatusCode)
}

// broken gives an error of the network its kind. What our own way out refused stays as it is: it says what to change.
func (r *Rest) broken(ctx context.Context, err error) error {
	var own *fault.Error
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &own) && own.Kind != fault.Unavailable:
		return own
	}
	hint := r.Unreached
	if hint == "" {
		hint = err.Error()
	}
	return &fault.Error{Kind: fault.Unavailable, Err: &ProviderError{Message: "Connection error."}, Hint: hint}
}

func (r *Rest) bound() int {
	if r.Bytes > 0 {
		return r.Bytes
	}
	return value.DefaultLimits().Bytes
}

func tooLong(bound int) error {
	return fault.Newf(fault.Unavailable, "the provider sent more than %d bytes at once", bound)
}
