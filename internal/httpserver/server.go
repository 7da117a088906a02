// Package httpserver serves loaded agents over HTTP.
//
// It turns a request into a run and the answer of the run into a response, and
// it is a border: whoever is on the other side is a stranger until a token is
// shown, the operator's or an API token of the accounts, which says what may be
// called. Only with a token that allows it do the headers that steer and debug
// runs exist, and only from listed proxies is a forwarded address believed. All
// that a client sends is bounded by bytes that were counted, not by lengths that
// were declared, and by time.
//
// The routes are matched exactly. Names that agents choose stand behind /api/
// and /trigger/, so none of them can take the place of a route of the server.
package httpserver

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/agent"
	"github.com/sre-go/sre/internal/hop"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/internal/openapi"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/value"
)

// Config is what a Server works with.
type Config struct {
	Agents *agent.Manager
	// Token of the operator. It may be empty only with Open.
	Token secret.Value
	// Accounts knows the API tokens; nil for none.
	Accounts *account.Service
	// Open answers callers without a token. They can run agents and list them, and nothing more.
	Open bool
	// Hosts are names by which the server may be addressed on the loopback interface, besides those of the interface
	// itself: what a proxy on the same machine sends as Host.
	Hosts []string
	// TrustedProxies are the addresses whose X-Forwarded-For, -Host and -Proto headers are believed.
	TrustedProxies []netip.Prefix
	// Health tells how every part of the runtime is; nil is healthy. Nil means there is nothing to ask.
	Health func(context.Context) map[string]error
	// OpenAPI describes an agent that is reached at baseURL. Nil means [openapi.Document].
	OpenAPI func(a *agent.Agent, baseURL string) value.Value
	// Hops tells how deep a request is that comes back from an agent of this runtime; nil believes none.
	Hops *hop.Key
	// Files answers the paths of public files, to anybody; nil for none.
	Files   Files
	Limits  limits.Limits // zero means the defaults
	Log     *slog.Logger  // nil for no log
	Effects effect.Source // nil means those of the machine
}

// Files serves stored files that agents have given public addresses.
type Files interface {
	http.Handler
	// Serves reports whether a path is one of them.
	Serves(path string) bool
}

// Server answers HTTP requests for the agents of a manager. It is an [http.Handler], and safe for concurrent use.
type Server struct {
	cfg       Config
	hosts     map[string]bool
	fixed     []fixedHeader
	buffers   sync.Pool // of *[]byte
	readiness readiness
}

// New checks a configuration and returns its server. The error is [fault.Invalid]: a server without a token has to be
// asked for.
func New(cfg Config) (*Server, error) {
	switch token := cfg.Token.Reveal(); {
	case cfg.Agents == nil:
		return nil, &fault.Error{Op: "httpserver.new", Kind: fault.Invalid, Hint: "set Agents"}
	case token == "" && !cfg.Open:
		err := fault.Newf(fault.Invalid, "the server has no token, so nobody could call it")
		return nil, fault.Hint(err, "give it a token, or open it to everybody who can reach it")
	case token != "" && !validToken(token):
		err := fault.Newf(fault.Invalid, "the token of the server cannot be sent in a header")
		return nil, fault.Hint(err, "use %d to %d letters, digits and punctuation marks without blanks", minToken, maxToken)
	}
	if cfg.Limits == (limits.Limits{}) {
		cfg.Limits = limits.Default()
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Effects == nil {
		cfg.Effects = effect.System{}
	}
	if cfg.OpenAPI == nil {
		cfg.OpenAPI = describe
	}
	s := &Server{cfg: cfg, hosts: make(map[string]bool), fixed: fixedHeaders()}
	for _, h := range cfg.Hosts {
		s.hosts[hostname(h)] = true
	}
	return s, nil
}

func describe(a *agent.Agent, baseURL string) value.Value {
	return openapi.Document(a.Document(), openapi.Options{Server: baseURL})
}

// exchange is one request and its response.
type exchange struct {
	*Server
	w        http.ResponseWriter
	r        *http.Request
	id       string
	start    time.Time
	peer     peer
	caller   caller
	agent    *agent.Agent // that answers; nil until it is known
	apiToken bool         // the request shows something of the form of an API token
	refused  string       // why it proves nothing; for the log

	status  int   // 0 until it is known; that of an answer is 200 unless it is set
	written int   // bytes of the body
	err     error // why the status is no success
	bug     *bug  // a panic while the request was answered
}

// ServeHTTP answers a request. It returns when the response is written and no component works for it any more.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := s.cfg.Effects
	x := &exchange{Server: s, w: w, r: r, id: e.NewID(), start: e.Now()}
	x.peer = s.peerOf(r)
	if s.cfg.Files != nil && s.cfg.Files.Serves(r.URL.Path) {
		// The address itself is the right to read the file, so it is not logged; pages of other sites may show it.
		if err := x.checkHost(); err != nil {
			x.write(value.Value{}, err)
			return
		}
		s.cfg.Files.ServeHTTP(w, r)
		return
	}
	defer x.log()
	x.write(x.guarded())
}

// guarded is answer, with panics turned into errors: the request fails and nothing else.
func (x *exchange) guarded() (answer value.Value, err error) {
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler { //nolint:errorlint // it is thrown as it is
				panic(p)
			}
			x.bug = newBug(p)
			answer, err = value.Value{}, x.bug
		}
	}()
	return x.answer()
}

// answer decides about the caller first and then about the path, so that paths tell nothing to strangers.
func (x *exchange) answer() (value.Value, error) {
	if err := x.checkHost(); err != nil {
		return value.Value{}, err
	}
	if err := x.checkOrigin(); err != nil {
		return value.Value{}, err
	}
	unsure := x.authenticate()
	to := parseRoute(x.r.URL)
	rule := to.kind.rule()
	if !rule.public && !x.caller.known() && !x.cfg.Open {
		if unsure != nil {
			return value.Value{}, unsure
		}
		return value.Value{}, unauthenticated()
	}
	if rule.answer == nil {
		return value.Value{}, noRoute()
	}
	if !rule.allows(x.r.Method) {
		x.w.Header().Set("Allow", strings.Join(rule.methods, ", "))
		return value.Value{}, methodNotAllowed(x.r.Method, rule.methods)
	}
	return rule.answer(x, to)
}
