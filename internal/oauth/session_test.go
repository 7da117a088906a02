package oauth

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
)

func newSession() *Session { return NewSession(effect.System{}, "example.com") }

// callbackTo sends a session what a browser would, and returns the status.
func callbackTo(s *Session, query string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, CallbackPath+"?"+query, nil))
	return w
}

func TestSession_AuthorizationURL(t *testing.T) {
	t.Parallel()
	s := newSession()
	got, err := s.AuthorizationURL("https://a.test/auth?prompt=consent&state=evil#x", "id", "http://127.0.0.1:1/oauth/callback", "a b")
	if err != nil {
		t.Fatal(err)
	}
	q := address(t, got).Query()
	if len(q["state"]) != 1 || q.Get("state") != s.state || len(s.state) < 43 || q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 ||
		q.Get("prompt") != "consent" || q.Get("scope") != "a b" || q.Get("redirect_uri") != "http://127.0.0.1:1/oauth/callback" || strings.Contains(got, s.Verifier()) || strings.Contains(got, "#") {
		t.Errorf("AuthorizationURL = %s", got)
	}
	if other := newSession(); other.state == s.state || other.verifier == s.verifier || other.state == other.verifier {
		t.Error("two sessions share their randomness")
	}
	for _, wrong := range []string{"", "a.test", "javascript:alert(1)", "file:///etc/passwd", "https://", "https://user:pw@a.test/", "%"} {
		if got, err := s.AuthorizationURL(wrong, "id", "r", ""); !fault.Is(err, fault.Invalid) {
			t.Errorf("AuthorizationURL of %q = %s, %v, want kind %v", wrong, got, err, fault.Invalid)
		}
	}
}

// TestT64_Callback: a state that is missing, forged, given twice or replayed brings nothing, in the same words; nothing
// is redirected.
func TestT64_Callback(t *testing.T) {
	t.Parallel()
	s := newSession()
	forged := []string{"", "code=x", "state=&code=x", "state=guess&code=x", "state=" + newSession().state + "&code=x", "state=" + s.state + "&state=" + s.state + "&code=x", "STATE=" + s.state + "&code=x", "state=" + s.state[:42] + "&code=x"}
	var words string
	for _, query := range forged {
		w := callbackTo(s, query+"&redirect=https://evil.test&next=//evil.test")
		if w.Code != http.StatusBadRequest || w.Header().Get("Location") != "" || words != "" && w.Body.String() != words {
			t.Errorf("%q: status %d, Location %q, %q", query, w.Code, w.Header().Get("Location"), w.Body)
		}
		words = w.Body.String()
	}
	if s.used {
		t.Fatal("a forged callback used the session up")
	}
	if w := callbackTo(s, "state="+s.state+"&code=the+code"); w.Code != http.StatusOK || s.result.code != "the code" || s.result.err != nil {
		t.Errorf("the right callback: status %d, code %q, %v", w.Code, s.result.code, s.result.err)
	}
	if w := callbackTo(s, "state="+s.state+"&code=another"); w.Code != http.StatusBadRequest || w.Body.String() != words || s.result.code != "the code" {
		t.Errorf("the callback again: status %d, code %q, want it refused", w.Code, s.result.code)
	}
	for _, header := range []string{"Cache-Control", "Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options"} {
		if callbackTo(s, "").Header().Get(header) == "" {
			t.Errorf("the answer has no header %s", header)
		}
	}
	for method, path := range map[string]string{"POST": CallbackPath, "GET": "/", "HEAD": CallbackPath + "/x"} {
		w := httptest.NewRecorder()
		fresh := newSession()
		fresh.ServeHTTP(w, httptest.NewRequest(method, path+"?state="+fresh.state+"&code=x", nil))
		if w.Code < 400 || fresh.used {
			t.Errorf("%s %s: status %d, used %v, want it refused", method, path, w.Code, fresh.used)
		}
	}
}

func TestSession_Refused(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, query, text string }{
		{"denied", "error=access_denied&error_description=No%0Away", "access_denied: No way"},
		{"nothing", "", "not allowed"},
	}
	for _, tt := range tests {
		s := newSession()
		callbackTo(s, "state="+s.state+"&"+tt.query)
		if err := s.result.err; !fault.Is(err, fault.Unauthenticated) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v, want kind %v and %q", tt.name, err, fault.Unauthenticated, tt.text)
		}
	}
}

// TestT64_Callback1: with OAuth 1.0a the callback also names the token that the user was asked about.
func TestT64_Callback1(t *testing.T) {
	t.Parallel()
	s := newSession()
	if got, err := s.UserURL("https://a.test/authorize?x=1", "temp"); err != nil || got != "https://a.test/authorize?oauth_token=temp&x=1" {
		t.Errorf("UserURL = %s, %v", got, err)
	}
	back, err := s.Callback("http://127.0.0.1:1" + CallbackPath)
	if err != nil || address(t, back).Query().Get("state") != s.state {
		t.Errorf("Callback = %s, %v", back, err)
	}
	for _, query := range []string{"", "&oauth_token=other", "&oauth_verifier=v"} {
		if w := callbackTo(s, "state="+s.state+query); w.Code != http.StatusBadRequest || s.used {
			t.Errorf("%q: status %d, want it refused", query, w.Code)
		}
	}
	if w := callbackTo(s, "state="+s.state+"&oauth_token=temp&oauth_verifier=v"); w.Code != http.StatusOK || s.result.code != "v" {
		t.Errorf("the right callback: status %d, verifier %q", w.Code, s.result.code)
	}
	s = newSession()
	if _, err := s.UserURL("https://a.test/", "temp"); err != nil {
		t.Fatal(err)
	}
	if w := callbackTo(s, "state="+s.state+"&denied=temp"); w.Code != http.StatusOK || !fault.Is(s.result.err, fault.Unauthenticated) {
		t.Errorf("the user said no: status %d, %v", w.Code, s.result.err)
	}
}

// A name that was made to stand for this machine is refused.
func TestT64_OtherHost(t *testing.T) {
	t.Parallel()
	s := newSession()
	for _, host := range []string{"evil.test", "127.0.0.1", "127.0.0.1:2", ""} {
		r := httptest.NewRequest(http.MethodGet, CallbackPath+"?code=x&state="+s.state, nil)
		r.Host = host
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, r); w.Code != http.StatusMisdirectedRequest {
			t.Errorf("host %q: status %d, want %d", host, w.Code, http.StatusMisdirectedRequest)
		}
	}
	if code, err := s.Code(); !fault.Is(err, fault.Timeout) || code != "" {
		t.Errorf("Code before the callback = %q, %v, want kind %v", code, err, fault.Timeout)
	}
	callbackTo(s, "code=x&state="+s.state)
	<-s.Done()
	if code, err := s.Code(); err != nil || code != "x" {
		t.Errorf("Code = %q, %v, want x", code, err)
	}
}
