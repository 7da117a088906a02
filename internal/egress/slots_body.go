package egress

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// body fills a body, and sets its length. One of at most that many bytes is filled before anything is sent, and so is a
// longer one that can be read twice. One whose length nobody knows is filled on its way: a secret that may not go to the
// host ends it before the secret.
func (f *filler) body(r *http.Request, most int) {
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	escape := escapeFor(r.Header.Get("Content-Type"))
	switch length := r.ContentLength; {
	case length > 0 && length <= int64(most):
		f.held(r, escape)
	case length > 0 && r.GetBody != nil:
		f.twice(r, escape)
	default:
		r.Body, r.GetBody, r.ContentLength = f.stream(r.Body, escape), f.again(r.GetBody, escape), -1
	}
}

var errLength = errors.New("the body is longer than the request says")

// held fills a body in memory.
func (f *filler) held(r *http.Request, escape func(string) string) {
	text := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, text)
	if more, _ := io.CopyN(io.Discard, r.Body, 1); err == nil && more > 0 {
		err = errLength
	}
	if closing := r.Body.Close(); err == nil {
		err = closing
	}
	if err != nil {
		f.err = err
		return
	}
	if f.slots.Within(text) {
		text = []byte(f.text(string(text), escape))
	}
	r.ContentLength = int64(len(text))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }
	r.Body = io.NopCloser(bytes.NewReader(text))
}

// twice reads a body to learn the length it will have, and fills it while it is sent.
func (f *filler) twice(r *http.Request, escape func(string) string) {
	first, err := r.GetBody()
	if err != nil {
		f.err = err
		return
	}
	filled := f.stream(first, escape)
	r.ContentLength, err = io.Copy(io.Discard, filled)
	if closing := filled.Close(); err == nil {
		err = closing
	}
	if err != nil {
		f.err = err
		return
	}
	r.Body, r.GetBody = f.stream(r.Body, escape), f.again(r.GetBody, escape)
}

// again is what gives the body once more, nil when nothing does.
func (f *filler) again(get func() (io.ReadCloser, error), escape func(string) string) func() (io.ReadCloser, error) {
	if get == nil {
		return nil
	}
	return func() (io.ReadCloser, error) {
		body, err := get()
		if err != nil {
			return nil, err
		}
		return f.stream(body, escape), nil
	}
}

// pieceBytes is how much of a body is filled at once.
const pieceBytes = 32 << 10

func (f *filler) stream(body io.ReadCloser, escape func(string) string) io.ReadCloser {
	return &filling{ReadCloser: body, slots: f.slots, host: f.host, escape: escape, kept: make([]byte, 0, pieceBytes)}
}

// filling is a body whose stand-ins are filled while it is read.
type filling struct {
	io.ReadCloser
	slots  *secret.Slots
	host   string
	escape func(string) string

	kept  []byte // read, and not yet filled
	ready []byte // filled, and not yet handed out
	plain []byte // room for a piece that has nothing to fill
	err   error  // that ended the body
}

// Read implements [io.Reader].
func (b *filling) Read(p []byte) (int, error) {
	for len(b.ready) == 0 {
		if b.err != nil {
			return 0, b.err
		}
		b.more()
	}
	n := copy(p, b.ready)
	b.ready = b.ready[n:]
	return n, nil
}

// more reads a piece and fills what cannot be the beginning of a stand-in.
func (b *filling) more() {
	n, err := b.ReadCloser.Read(b.kept[len(b.kept):cap(b.kept)])
	b.kept = b.kept[:len(b.kept)+n]
	whole := len(b.kept)
	if err == nil {
		whole -= b.slots.Partial(b.kept)
	}
	b.err = err
	if piece := b.kept[:whole]; b.slots.Within(piece) {
		filled, err := b.slots.Fill(string(piece), b.host, b.escape)
		if err != nil {
			f := filler{host: b.host, err: err}
			b.ready, b.err = nil, f.refusal()
			return
		}
		b.ready = []byte(filled)
	} else {
		b.plain = append(b.plain[:0], piece...)
		b.ready = b.plain
	}
	b.kept = append(b.kept[:0], b.kept[whole:]...)
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
