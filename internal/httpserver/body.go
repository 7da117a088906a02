package httpserver

import (
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

// body reads the body of the request: JSON, a form, or a form with files. It is absent when there is none.
func (x *exchange) body() (value.Value, []component.File, error) {
	if x.r.Body == nil || x.r.Body == http.NoBody {
		return value.Value{}, nil, nil
	}
	if coding := x.r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		err := fault.Newf(fault.Invalid, "bodies are not read in the encoding %q", clip(coding))
		return value.Value{}, nil, &statusError{http.StatusUnsupportedMediaType, fault.Hint(err, "send the body as it is")}
	}
	kind, params, err := contentType(x.r.Header["Content-Type"])
	if err != nil {
		return value.Value{}, nil, err
	}
	if kind == "multipart/form-data" {
		return x.multipart(params["boundary"])
	}
	text, err := x.readAll(limits.JSONBytes, x.cfg.Limits.JSONBytes)
	if err != nil || text == nil {
		return value.Value{}, nil, err
	}
	defer x.release(text)
	if len(*text) == 0 {
		return value.Value{}, nil, nil
	}
	v, err := x.parse(kind, *text)
	return v, nil, err
}

// contentType reads the media type of a body; "" when the client did not say.
func contentType(sent []string) (kind string, params map[string]string, err error) {
	if len(sent) == 0 || sent[0] == "" {
		return "", nil, nil
	}
	if sent[0] == "application/json" && len(sent) == 1 {
		return sent[0], nil, nil
	}
	kind, params, err = mime.ParseMediaType(sent[0])
	if err != nil || len(sent) > 1 {
		return "", nil, unsupported("the Content-Type header cannot be read")
	}
	if set := params["charset"]; set != "" && !strings.EqualFold(set, "utf-8") {
		return "", nil, unsupported("bodies are read as UTF-8 only")
	}
	return kind, params, nil
}

func unsupported(text string) error {
	err := fault.Newf(fault.Invalid, "%s", text)
	return &statusError{
		http.StatusUnsupportedMediaType,
		fault.Hint(err, "send application/json, application/x-www-form-urlencoded or multipart/form-data"),
	}
}

// parse reads a body of a kind. Agents take inputs by name, so a text or a number alone is no body.
func (x *exchange) parse(kind string, text []byte) (value.Value, error) {
	l := x.cfg.Limits
	switch {
	case kind == "application/x-www-form-urlencoded":
		if text[0] == '{' {
			err := fault.Newf(fault.Invalid, "the body looks like JSON and is sent as a form")
			return value.Value{}, fault.Hint(err, `add the header "Content-Type: application/json"`)
		}
		return parseForm(string(text), l.FormFields)
	case kind == "" || kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json"):
		v, err := value.Decode(text, value.Limits{Bytes: l.JSONBytes, Depth: l.JSONDepth, Values: l.JSONValues})
		if err != nil {
			return value.Value{}, &fault.Error{Op: "read the body", Kind: fault.KindOf(err), Code: fault.CodeOf(err), Err: err}
		}
		if !v.IsObject() && !v.IsArray() {
			err := fault.Newf(fault.Invalid, "the body is JSON, but no object")
			return value.Value{}, fault.Hint(err, `send the inputs by name, such as {"name": "Ada"}`)
		}
		return v, nil
	}
	return value.Value{}, unsupported("bodies of type " + clip(kind) + " are not read")
}

// readAll reads a body of at most limit bytes into a buffer, to be released by the caller. The name is that of the
// limit. The buffer grows with what has arrived, never with what was announced.
func (x *exchange) readAll(name string, limit int) (*[]byte, error) {
	if x.r.ContentLength > int64(limit) {
		return nil, tooLarge(name, limit)
	}
	from := http.MaxBytesReader(x.w, x.r.Body, int64(limit))
	buffer := x.buffer()
	b := (*buffer)[:0]
	for {
		n, err := from.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case err == io.EOF: //nolint:errorlint // readers return it as it is
			*buffer = b
			return buffer, nil
		case err != nil:
			*buffer = b
			x.release(buffer)
			return nil, readError(err, name, limit)
		case len(b) == cap(b):
			b = append(b, 0)[:len(b)]
		}
	}
}

func tooLarge(name string, limit int) error {
	return fault.Limitf(name, "LIMIT_EXCEEDED(%s): the body is over the limit of %d bytes", name, limit)
}

// readError says why a body could not be read.
func readError(err error, name string, limit int) error {
	var large *http.MaxBytesError
	var network net.Error
	switch {
	case errors.As(err, &large):
		return tooLarge(name, limit)
	case errors.As(err, &network) && network.Timeout():
		return &statusError{http.StatusRequestTimeout, fault.Limitf(limits.BodyTime, "the body did not arrive in time")}
	}
	return &fault.Error{Op: "read the body", Kind: fault.Invalid, Err: errBroken}
}

var errBroken = errors.New("it is broken or ended too early")
