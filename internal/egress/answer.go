package egress

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
)

// bound makes the body of an answer end at the limits, by counted bytes.
func (d *door) bound(req *http.Request, res *http.Response) (*http.Response, error) {
	if res.ContentLength > int64(d.limits.ResponseBytes) && req.Method != http.MethodHead {
		closing := res.Body.Close()
		return nil, errors.Join(tooLarge(d.limits.ResponseBytes), closing)
	}
	wire := &counter{r: res.Body}
	body := &bounded{wire: wire, out: wire, closer: res.Body, limits: d.limits}
	if res.Header.Get("Content-Encoding") == "gzip" && req.Header.Get("Accept-Encoding") == "" && req.Method != http.MethodHead {
		body.packed = true
		res.Header.Del("Content-Encoding")
		res.Header.Del("Content-Length")
		res.ContentLength, res.Uncompressed = -1, true
	}
	res.Body = body
	return res, nil
}

func tooLarge(most int) error {
	return fault.Limitf(limits.ResponseBytes, "LIMIT_EXCEEDED(%s): the answer has more than %d bytes", limits.ResponseBytes, most)
}

// counter counts the bytes that came over the wire.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// slack is how much an answer may grow before its ratio counts, in bytes: short answers pack well.
const slack = 1 << 20

// bounded is a body that ends with an error at a limit.
type bounded struct {
	wire   *counter
	out    io.Reader
	closer io.Closer
	limits limits.Limits
	packed bool // unpack at the first read
	n      int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.packed {
		unpacked, err := gzip.NewReader(b.wire)
		if err != nil {
			return 0, fault.New(fault.Unavailable, err)
		}
		b.out, b.packed = unpacked, false
	}
	n, err := b.out.Read(p)
	b.n += int64(n)
	switch {
	case b.n > int64(b.limits.ResponseBytes):
		return n, tooLarge(b.limits.ResponseBytes)
	case b.n > slack && b.n > b.wire.n*int64(b.limits.ResponseRatio):
		return n, fault.Limitf(limits.ResponseRatio, "LIMIT_EXCEEDED(%s): the answer grows more than %d times when it is unpacked", limits.ResponseRatio, b.limits.ResponseRatio)
	}
	return n, err
}

func (b *bounded) Close() error { return b.closer.Close() }
