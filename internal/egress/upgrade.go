package egress

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/sre-go/sre/fault"
)

var errProtocol = errors.New("the server answered in another protocol than it was asked for")

type upgradeKey struct{}

// WithUpgrade lets a GET of the context ask for another protocol on its connection, such as "websocket". The door checks
// the request like any other and asks for the protocol itself; libraries that set the headers for it may. When the server
// agrees, the answer has the status 101 and a body that is an [io.ReadWriteCloser]: the connection, which belongs to the
// caller until it is closed or the context of the request ends. The limit request_time is that of the handshake, and no
// limit counts what goes over the connection afterwards: whoever speaks the protocol bounds its messages.
//
// Stand-ins for secrets are filled in the handshake and nowhere else, see [secret.Slots].
func WithUpgrade(ctx context.Context, protocol string) context.Context {
	return context.WithValue(ctx, upgradeKey{}, protocol)
}

func upgradeOf(ctx context.Context) string {
	protocol, _ := ctx.Value(upgradeKey{}).(string)
	return protocol
}

// askUpgrade returns the headers of a request without those that ask for another protocol, if it may ask for that one.
func askUpgrade(r *http.Request, header http.Header) (http.Header, error) {
	protocol := upgradeOf(r.Context())
	if protocol == "" {
		return header, nil
	}
	if !token(protocol) {
		return nil, fault.Newf(fault.Invalid, "%q is no name of a protocol", protocol)
	}
	if r.Method != "" && r.Method != http.MethodGet || r.Body != nil && r.Body != http.NoBody {
		return nil, fault.Newf(fault.Invalid, "a request for another protocol is a GET without a body")
	}
	out := header.Clone()
	for name, want := range map[string]string{"Connection": "Upgrade", "Upgrade": protocol} {
		if v := out.Values(name); len(v) == 1 && strings.EqualFold(v[0], want) {
			out.Del(name)
		}
	}
	return out, nil
}

// upgraded is a connection that has become something else.
type upgraded struct {
	io.ReadWriteCloser
	forget func() bool // the end of the context closes it no longer
	end    func()
}

// Close implements [io.Closer]. It may be called more than once.
func (u *upgraded) Close() error {
	defer u.end()
	u.forget()
	return u.ReadWriteCloser.Close()
}

// switched hands the connection of an answer 101 to the caller, whose context ends it.
func (d *door) switched(ctx context.Context, o outgoing, resp *http.Response) (*http.Response, error) {
	conn, ok := resp.Body.(io.ReadWriteCloser)
	if asked := upgradeOf(ctx); !ok || asked == "" || !strings.EqualFold(resp.Header.Get("Upgrade"), asked) {
		_ = resp.Body.Close() // nobody asked for what it is
		o.end()
		return nil, &fault.Error{Op: "egress", Kind: fault.Unavailable, Err: errProtocol}
	}
	o.cancel()
	forget := context.AfterFunc(ctx, func() {
		_ = conn.Close() // whoever reads is told
		o.release()
	})
	resp.Request, resp.Body = o.request, &upgraded{ReadWriteCloser: conn, forget: forget, end: o.release}
	return resp, nil
}
