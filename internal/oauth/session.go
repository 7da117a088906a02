package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"sync"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
)

// CallbackPath is where a session receives what the browser of a user brings.
const CallbackPath = "/oauth/callback"

// Session is one attempt to be let in by a user: a state that nobody can guess, a PKCE verifier that never leaves this
// process before the code is exchanged, and one callback. It is safe for concurrent use.
type Session struct {
	host     string
	state    string
	verifier string

	mu     sync.Mutex
	token  string // that the callback has to name, of OAuth 1.0a
	used   bool
	result callback
	done   chan struct{}
}

// callback is what the browser brought.
type callback struct {
	code string
	err  error
}

// NewSession returns a session with fresh randomness. host is that of its callback, with the port: requests for another
// one are refused, so that no name can be made to stand for this machine.
func NewSession(source effect.Source, host string) *Session {
	random := func() string {
		var b [32]byte
		source.Random(b[:])
		return base64.RawURLEncoding.EncodeToString(b[:])
	}
	return &Session{host: host, state: random(), verifier: random(), done: make(chan struct{})}
}

// Verifier returns the PKCE verifier, for the exchange of the code.
func (s *Session) Verifier() string { return s.verifier }

// AuthorizationURL returns the address at which the user allows the access by OAuth 2.0.
func (s *Session) AuthorizationURL(address, clientID, redirect, scope string) (string, error) {
	challenge := sha256.Sum256([]byte(s.verifier))
	params := url.Values{
		"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {redirect}, "state": {s.state},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	if scope != "" {
		params.Set("scope", scope)
	}
	return withParams(address, params)
}

// Callback returns the redirect address with the state in it, for OAuth 1.0a, where the service does not pass one on.
func (s *Session) Callback(redirect string) (string, error) {
	return withParams(redirect, url.Values{"state": {s.state}})
}

// UserURL returns the address at which the user allows the access by OAuth 1.0a. The callback has to name the token.
func (s *Session) UserURL(address, token string) (string, error) {
	s.mu.Lock()
	s.token = token
	s.mu.Unlock()
	return withParams(address, url.Values{"oauth_token": {token}})
}

// withParams adds parameters to an address of the web, in place of those of the same name.
func withParams(address string, params url.Values) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return "", fault.Newf(fault.Invalid, "%q is no address of the web", address)
	}
	all := u.Query()
	for name, values := range params {
		all[name] = values
	}
	u.RawQuery, u.Fragment = all.Encode(), ""
	return u.String(), nil
}

// ServeHTTP receives the callback. A state that is missing, another one's or used before is refused in the same words,
// and changes nothing; nothing is ever redirected.
func (s *Session) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	say := func(status int, text string) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text+"\n") // a browser that went away misses a sentence
	}
	switch {
	case r.Host != s.host:
		say(http.StatusMisdirectedRequest, "This address is not served here.")
	case r.URL.Path != CallbackPath:
		say(http.StatusNotFound, "There is nothing here.")
	case r.Method != http.MethodGet:
		h.Set("Allow", http.MethodGet)
		say(http.StatusMethodNotAllowed, "Only GET is answered here.")
	case !s.take(r.URL.Query()):
		say(http.StatusBadRequest, "This is not the answer that is waited for. Start again with sre oauth connect.")
	default:
		say(http.StatusOK, "Thank you. You can close this window and go back to the command.")
	}
}

// take keeps the first callback with the right state.
func (s *Session) take(q url.Values) bool {
	state := q["state"]
	if len(state) != 1 || subtle.ConstantTimeCompare([]byte(state[0]), []byte(s.state)) != 1 {
		return false
	}
	named := q.Get("oauth_token")
	if named == "" {
		named = q.Get("denied") // as some services tell that the user said no
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used || s.token != "" && subtle.ConstantTimeCompare([]byte(named), []byte(s.token)) != 1 {
		return false
	}
	s.used = true
	code := q.Get("code")
	if s.token != "" {
		code = q.Get("oauth_verifier")
	}
	s.result = callback{code: code}
	switch denial := q.Get("error"); {
	case denial != "":
		s.result.err = fault.Newf(fault.Unauthenticated, "the access was not allowed: %s", described(denial, q.Get("error_description")))
	case code == "":
		s.result.err = fault.Newf(fault.Unauthenticated, "the access was not allowed")
	}
	close(s.done)
	return true
}

// Done is closed when the callback has come.
func (s *Session) Done() <-chan struct{} { return s.done }

// Code returns what the callback brought: the code of OAuth 2.0, the verifier of OAuth 1.0a, or why there is none.
func (s *Session) Code() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.used {
		return "", fault.Newf(fault.Timeout, "nobody came back from the service")
	}
	return s.result.code, s.result.err
}
