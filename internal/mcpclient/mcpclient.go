// Package mcpclient uses the tools of MCP servers.
//
// A server is a stranger, even one that the operator has chosen: what it says about its tools and what they answer is
// data, bounded and without invisible characters. The first description of a tool is pinned; one that changes later is
// not shown to a model until the operator has approved it. A server may ask for nothing in return: not for answers of
// a model, not for input of a user, not for files.
//
// A [Session] belongs to one conversation. What a server remembers of it is gone with its end, and no two agents share a
// process.
package mcpclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/childprocess"
	"github.com/sre-go/sre/internal/untrusted"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// Server says how a server is reached: by an address, or as a program that talks over its standard input and output.
type Server struct {
	Name  string // begins the names of its tools
	Owner string // team whose pins count, "" for those of the operator
	Pin   string // what its pins are kept under: its name or address

	URL     string
	Headers map[string]secret.Value // of every request, and of none to another address
	Bearer  Token                   // likewise, nil for none
	Near    bool                    // the operator wrote the address down: it may be in a private network

	Command *childprocess.Command // instead of URL; only ever from the operator
}

// Token returns the access token for a request that is about to be made, another one than the one that the server has
// refused, which is empty when it has refused none. It is called on many goroutines at once. Its errors
// are those of the request.
type Token func(ctx context.Context, refused secret.Value) (secret.Value, error)

// Options are what a session works with. HTTP and Pins are required.
type Options struct {
	HTTP     *http.Client
	Pins     *Pins
	NewID    func() string // of stand-ins for secrets
	FirstUse bool          // pin what a server says the first time; else everything is to be approved
	CallTime time.Duration // of one call of a tool
	Bytes    int           // of one result

	ConnectTime time.Duration // until the server has told its tools; 0 for 30 seconds
}

const usualConnectTime = 30 * time.Second

// Session is a connection to one server. It is safe for concurrent use. A connection that breaks is made again for the
// next call; the call that it broke under is not repeated, because nobody knows what became of it.
type Session struct {
	server Server
	o      Options
	ctx    context.Context // of the conversation
	cancel context.CancelFunc

	mu     sync.Mutex
	open   *mcp.ClientSession // nil when there is no connection
	child  *childprocess.Process
	tools  map[string]*tool // by name at the server
	order  []string
	denied []Pin
	closed bool
}

// Open connects to a server and reads what tools it has. The session ends with ctx, and is to be closed.
func Open(ctx context.Context, s Server, o Options) (*Session, error) {
	if o.ConnectTime == 0 {
		o.ConnectTime = usualConnectTime
	}
	ctx, cancel := context.WithCancel(ctx)
	session := &Session{server: s, o: o, ctx: ctx, cancel: cancel}
	session.mu.Lock()
	defer session.mu.Unlock()
	if err := session.connect(ctx); err != nil {
		cancel()
		return nil, err
	}
	return session, nil
}

// Close ends the connection, and the program of the server, and waits for that.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.hangUp()
	s.cancel()
	return nil
}

// hangUp ends a connection. What goes wrong with the farewell is nobody's concern.
func (s *Session) hangUp() {
	if s.open != nil {
		_ = s.open.Close() // nobody is left to be told
		s.open = nil
	}
	if s.child != nil {
		_ = s.child.Close() // it waits, and never fails
		s.child = nil
	}
}

// connect makes a connection and reads the tools. What takes too long is ended.
func (s *Session) connect(ctx context.Context) error {
	ctx, stop := context.WithTimeoutCause(ctx, s.o.ConnectTime, fault.Newf(fault.Timeout, "the MCP server %s did not answer within %s", s.server.Name, s.o.ConnectTime))
	defer stop()
	err := s.dial(ctx)
	if err == nil {
		err = s.list(ctx)
	}
	if err == nil {
		return nil
	}
	s.hangUp()
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	kind := fault.KindOf(err)
	if kind == fault.Internal {
		kind = fault.Unavailable
	}
	return &fault.Error{Op: "mcp.connect", Resource: s.server.Pin, Kind: kind, Code: fault.CodeOf(err), Err: err}
}

// client is a client that offers nothing: no roots, no sampling, no elicitation.
func (s *Session) client() *mcp.Client {
	return mcp.NewClient(&mcp.Implementation{Name: "auto-client", Version: "1.0.0"}, &mcp.ClientOptions{
		Capabilities: &mcp.ClientCapabilities{}, MultiRoundTrip: &mcp.MultiRoundTripOptions{Disabled: true},
	})
}

// Tools returns the tools that may be used, in the order of the server, named server__tool.
func (s *Session) Tools() []component.Tool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []component.Tool
	for _, name := range s.order {
		t := s.tools[name]
		out = append(out, component.Tool{
			Name: t.shown, Description: t.description, Parameters: t.parameters,
			Do: func(ctx context.Context, u component.ToolUse) (value.Value, error) { return s.call(ctx, name, u.Args) },
		})
	}
	return out
}

// Denied returns the tools that may not be used because they are not what was approved.
func (s *Session) Denied() []Pin {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.denied
}

// Ended tells how the program of the server ended, nil when it runs or there is none. The text is for the operator.
func (s *Session) Ended() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child == nil {
		return nil
	}
	return s.child.Ended()
}

// call calls a tool.
func (s *Session) call(ctx context.Context, name string, args value.Value) (value.Value, error) {
	open, err := s.connected(name)
	if err != nil {
		return value.Value{}, err
	}
	late := fault.Newf(fault.Timeout, "the tool did not answer within %s", s.o.CallTime)
	ctx, stop := context.WithTimeoutCause(ctx, s.o.CallTime, late)
	defer stop()
	res, err := open.CallTool(ctx, &mcp.CallToolParams{Name: name, Arguments: args})
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return value.Value{}, cause
		}
		if s.broken(open, err) {
			return value.Value{}, fault.New(fault.Unavailable, fmt.Errorf("the connection to the MCP server broke; whether the tool did its work is not known: %s", untrusted.Text(err.Error(), maxSaid)))
		}
		return value.Value{}, fault.Newf(fault.Unavailable, "%s", untrusted.Text(err.Error(), maxSaid))
	}
	return resultOf(res, s.o.Bytes)
}

// maxSaid is how much of an error of a server is shown, in characters.
const maxSaid = 500

// connected returns the connection, and makes it again when it broke. The tool has to be there still, as it was.
func (s *Session) connected(name string) (*mcp.ClientSession, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fault.Newf(fault.Unavailable, "the conversation with the MCP server is over")
	}
	if s.open == nil {
		if err := s.connect(s.ctx); err != nil {
			return nil, err
		}
	}
	if s.tools[name] == nil {
		return nil, changed("the tool is not what it was when the conversation began")
	}
	return s.open, nil
}

// broken notes that a connection cannot be used any more, if that is what an error says.
func (s *Session) broken(open *mcp.ClientSession, err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var answer *jsonrpc.Error // the server refuses, and is there
	gone := !errors.As(err, &answer) || errors.Is(err, mcp.ErrConnectionClosed) || errors.Is(err, mcp.ErrSessionMissing)
	if s.child != nil && s.child.Ended() != nil {
		gone = true
	}
	if gone && s.open == open {
		s.hangUp()
	}
	return gone
}

// changed is the error for tools that are not what was approved.
func changed(text string) error {
	return &fault.Error{Kind: fault.Denied, Code: CodeChanged, Err: errors.New(text), Hint: "look at it with sre mcp list, and approve it with sre mcp approve"}
}

// CodeChanged is the code of errors for tools that are not what was approved.
const CodeChanged = "UNTRUSTED_CHANGED"
