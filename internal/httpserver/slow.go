package httpserver

import (
	"errors"
	"net"
	"time"
)

// pieceBytes is how much of a response is given to a client at a time.
const pieceBytes = 64 << 10

var errSlow = errors.New("the client did not take the response in time")

// impatient is a listener whose clients have to take each piece of a response within a time. One that does not loses
// its connection, and with it everything that was held for it.
type impatient struct {
	net.Listener
	within time.Duration
}

// Accept waits for the next connection.
func (l impatient) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	p := &pieces{Conn: c, within: l.within}
	p.late = time.AfterFunc(l.within, p.cut)
	p.late.Stop()
	return p, nil
}

// pieces is a connection that writes in pieces, each within a time.
type pieces struct {
	net.Conn
	within time.Duration
	late   *time.Timer // cuts the connection off; it runs during writes
}

// cut ends the write under way and all further ones.
func (p *pieces) cut() {
	_ = p.SetWriteDeadline(time.Unix(1, 0)) // it fails when the connection is closed, and then no write waits
}

// Write writes b. The error is errSlow, among others, when the client did not take it in time.
func (p *pieces) Write(b []byte) (n int, err error) {
	for first := true; first || len(b) > 0; first = false {
		piece := b[:min(len(b), pieceBytes)]
		b = b[len(piece):]
		p.late.Reset(p.within)
		done, err := p.Conn.Write(piece)
		n += done
		if !p.late.Stop() {
			return n, errors.Join(errSlow, err)
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
