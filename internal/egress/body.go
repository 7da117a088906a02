package egress

import (
	"compress/gzip"
	"context"
	"errors"
	"io"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
)

// ratioFrom is how many bytes an answer may unpack to before its ratio counts, in bytes: small answers do no harm.
const ratioFrom = 1 << 20

// body is the body of an answer within its limits. Whoever reads it gets the limits.ResponseBytes first bytes at most.
type body struct {
	ctx    context.Context // ends with the time of the request
	done   func()          // lets go of what the request holds; may be called more than once
	raw    *counted
	gzip   bool
	plain  io.Reader // what is handed out; nil until the first read
	read   int64
	limits limits.Limits
	err    error // sticky
}

// counted counts what arrives from the network.
type counted struct {
	io.ReadCloser
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n += int64(n)
	return n, err
}

// Read implements [io.Reader]. The end of a limit is an error of kind [fault.Limit] or [fault.Timeout] that names it.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.plain == nil {
		b.plain = b.raw
		if b.gzip {
			z, err := gzip.NewReader(b.raw)
			if err != nil {
				return 0, b.end(err)
			}
			b.plain = z
		}
	}
	n, err := b.plain.Read(p)
	b.read += int64(n)
	if over := b.read - int64(b.limits.ResponseBytes); over > 0 {
		return max(n-int(over), 0), b.end(fault.Limitf(limits.ResponseBytes, "the answer is over %d bytes", b.limits.ResponseBytes))
	}
	if b.gzip && b.read > ratioFrom && b.read > b.raw.n*int64(b.limits.ResponseRatio) {
		return n, b.end(fault.Limitf(limits.ResponseRatio, "the answer unpacks to more than %d times its size", b.limits.ResponseRatio))
	}
	if err != nil {
		return n, b.end(err)
	}
	return n, nil
}

// end keeps the error that ended the body, and lets go of the connection.
func (b *body) end(err error) error {
	b.err = err
	if !errors.Is(err, io.EOF) {
		b.err = explain(b.ctx, err)
		_ = b.raw.Close() // the error that ended it says more
	}
	b.done()
	return b.err
}

// Close implements [io.Closer]. It may be called while another goroutine reads.
func (b *body) Close() error {
	defer b.done()
	return b.raw.Close()
}
