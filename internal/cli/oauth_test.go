package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/internal/cli"
)

// provider is a service that speaks OAuth and has an API that shows the credentials it gets.
type provider struct {
	*httptest.Server
	mu        sync.Mutex
	challenge string
	forms     []url.Values
	signed    []string
	refuse    bool
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch r.URL.Path {
	case "/token":
		_ = r.ParseForm() // a form that cannot be read has no code
		p.forms = append(p.forms, r.PostForm)
		sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
		w.Header().Set("Content-Type", "application/json")
		if r.PostForm.Get("grant_type") == "client_credentials" && r.PostForm.Get("client_secret") == "client-secret" {
			_, _ = io.WriteString(w, `{"access_token":"client-token","expires_in":3600}`)
			return
		}
		if p.refuse || r.PostForm.Get("code") != "the-code" || base64.RawURLEncoding.EncodeToString(sum[:]) != p.challenge {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":"invalid_grant"}`)
			return
		}
		_, _ = io.WriteString(w, `{"access_token":"access-token","refresh_token":"refresh-token","expires_in":3600}`)
	case "/request":
		p.signed = append(p.signed, r.Header.Get("Authorization"))
		_, _ = io.WriteString(w, "oauth_token=temporary&oauth_token_secret=ts&oauth_callback_confirmed=true")
	case "/access":
		p.signed = append(p.signed, r.Header.Get("Authorization"))
		_, _ = io.WriteString(w, "oauth_token=final&oauth_token_secret=fs")
	default:
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, r.Header.Get("Authorization"))
	}
}

// caller is an agent that calls the API of a provider with more settings.
func caller(p *provider, settings string) string {
	return `{"id":"caller","components":[
		{"id":"EP","name":"APIEndpoint","title":"call","data":{"endpoint":"call"},"inputs":[],"outputs":[{"name":"body","default":true}]},
		{"id":"API","name":"APICall","data":{"method":"GET","url":"` + p.URL + `/api","oauthService":"Test",` + strings.ReplaceAll(settings, "URL/", p.URL+"/") + `},"inputs":[{"name":"a","optional":true}],"outputs":[{"name":"Response","default":true}]},
		{"id":"OUT","name":"APIOutput","data":{"format":"minimal"},"inputs":[{"name":"r"}],"outputs":[{"name":"Output","default":true}]}],
		"connections":[{"sourceId":"EP","sourceIndex":0,"targetId":"API","targetIndex":0},{"sourceId":"API","sourceIndex":0,"targetId":"OUT","targetIndex":0}]}`
}

const oauth2Settings = `"authorizationURL":"URL/authorize","tokenURL":"URL/token","clientID":"client","clientSecret":"{{KEY(secret)}}","scope":"read write"`

// command is a command that is running in a folder.
type command struct {
	err  *bufio.Reader
	done chan int
	out  bytes.Buffer
	rest bytes.Buffer
}

// begin runs a command in the background.
func begin(ctx context.Context, dir string, args ...string) *command {
	pr, pw := io.Pipe()
	c := &command{err: bufio.NewReader(pr), done: make(chan int, 1)}
	m := cli.Machine{In: strings.NewReader(""), Out: &c.out, Err: pw, Work: dir, Version: "v1", Getenv: func(string) string { return "" }}
	go func() {
		code := cli.Main(ctx, std.Set(), m, args)
		_ = pw.Close() // a pipe closes
		c.done <- code
	}()
	return c
}

// address waits for the address that a command prints.
func (c *command) address(t *testing.T) *url.URL {
	t.Helper()
	for {
		line, err := c.err.ReadString('\n')
		c.rest.WriteString(line)
		if err != nil {
			t.Fatalf("the command printed no address: %v\n%s", err, c.rest.String())
		}
		if text := strings.TrimSpace(line); strings.HasPrefix(text, "http") {
			u, err := url.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			return u
		}
	}
}

// end waits for a command and returns its exit code and what it printed.
func (c *command) end() (int, string, string) {
	_, _ = c.rest.ReadFrom(c.err) // a pipe that was closed
	return <-c.done, c.out.String(), c.rest.String()
}

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func visit(t *testing.T, address string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// setUp writes the files of an agent that calls a provider.
func setUp(t *testing.T, p *provider, settings string) string {
	t.Helper()
	return folder(t, map[string]string{
		"caller.smyth": caller(p, settings), ".smyth/config.json": `{"egress":{"allowPrivate":true}}`,
		".smyth/vault.json": `{"default":{"secret":"client-secret"}}`,
	})
}

// TestOAuthConnect goes the whole way: the user allows the access, the tokens are kept, the agent uses them, and they are
// forgotten.
func TestOAuthConnect(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	dir := setUp(t, p, oauth2Settings)
	c := begin(t.Context(), dir, "oauth", "connect", "caller.smyth", "--json")
	at := c.address(t)
	q := at.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || back.Hostname() != "127.0.0.1" || back.Path != "/oauth/callback" || q.Get("client_id") != "client" || q.Get("scope") != "read write" || strings.Contains(at.String(), "client-secret") {
		t.Fatalf("the address is %s, %v", at, err)
	}
	p.mu.Lock()
	p.challenge = q.Get("code_challenge")
	p.mu.Unlock()
	if status, _ := visit(t, back.String()+"?code=the-code&state=forged"); status != http.StatusBadRequest {
		t.Errorf("a forged state: status %d, want %d", status, http.StatusBadRequest)
	}
	if status, text := visit(t, back.String()+"?code=the-code&state="+url.QueryEscape(q.Get("state"))); status != http.StatusOK || !strings.Contains(text, "close this window") {
		t.Errorf("the right state: status %d, %q", status, text)
	}
	code, out, errs := c.end()
	if want := `{"agent":"caller","component":"API","tokens":"OAUTH_API_TOKENS","hosts":["127.0.0.1"],"state":"connected"}`; code != 0 || strings.TrimSpace(out) != want {
		t.Fatalf("exit code %d, printed %s%s, want %s", code, out, errs, want)
	}
	if len(p.forms) != 1 || p.forms[0].Get("client_secret") != "client-secret" || p.forms[0].Get("redirect_uri") != back.String() {
		t.Errorf("the token server got %v", p.forms)
	}
	code, out, errs = begin(t.Context(), dir, "agent", "caller.smyth", "--json").end()
	if code != 0 || !strings.Contains(out, `"Bearer access-token"`) {
		t.Errorf("the agent: exit code %d, %s%s, want the token in what it sent", code, out, errs)
	}
	if code, out, errs = begin(t.Context(), dir, "oauth", "forget", "caller.smyth").end(); code != 0 || !strings.Contains(out, "forgotten: the tokens OAUTH_API_TOKENS of caller") {
		t.Errorf("forget: exit code %d, %s%s", code, out, errs)
	}
	if code, _, errs = begin(t.Context(), dir, "oauth", "forget", "caller.smyth").end(); code != 4 {
		t.Errorf("forget again: exit code %d, %s, want 4", code, errs)
	}
}

// A connection by name belongs to no component: whoever names it uses it.
func TestOAuthConnect_ByName(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []string
		user bool // somebody allows the access
		want string
	}{
		{"user", []string{"--authorization-url", "URL/authorize", "--scope", "read"}, true, "Bearer access-token"},
		{"client", []string{"--client-credentials"}, false, "Bearer client-token"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			dir := setUp(t, p, `"oauth_con_id":"shared"`)
			args := []string{"oauth", "connect", "--name", "shared", "--token-url", "URL/token", "--client-id", "client", "--client-secret-key", "secret", "--host", "127.0.0.1", "--json"}
			args = append(args, tt.args...)
			for i := range args {
				args[i] = strings.Replace(args[i], "URL/", p.URL+"/", 1)
			}
			c := begin(t.Context(), dir, args...)
			if tt.user {
				q := c.address(t).Query()
				p.mu.Lock()
				p.challenge = q.Get("code_challenge")
				p.mu.Unlock()
				visit(t, q.Get("redirect_uri")+"?code=the-code&state="+url.QueryEscape(q.Get("state")))
			}
			code, out, errs := c.end()
			if want := `{"team":"default","tokens":"shared","hosts":["127.0.0.1"],"state":"connected"}`; code != 0 || strings.TrimSpace(out) != want {
				t.Fatalf("exit code %d, printed %s%s, want %s", code, out, errs, want)
			}
			if strings.Contains(out+errs, "client-secret") {
				t.Errorf("the secret is printed: %s%s", out, errs)
			}
			code, out, errs = begin(t.Context(), dir, "agent", "caller.smyth", "--json").end()
			if code != 0 || !strings.Contains(out, tt.want) {
				t.Errorf("the agent: exit code %d, %s%s, want %s in what it sent", code, out, errs, tt.want)
			}
			if code, out, errs = begin(t.Context(), dir, "oauth", "forget", "--name", "shared").end(); code != 0 || !strings.Contains(out, "forgotten: the tokens shared of default") {
				t.Errorf("forget: exit code %d, %s%s", code, out, errs)
			}
		})
	}
}

func TestOAuthConnect_ByNameFails(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	all := []string{"--name", "x", "--token-url", p.URL + "/token", "--client-id", "client", "--client-secret-key", "secret", "--client-credentials", "--host", "127.0.0.1"}
	without := func(flag string, n int) []string {
		i := slices.Index(all, flag)
		return slices.Concat(all[:i], all[i+n:])
	}
	for name, tt := range map[string]struct {
		args []string
		code int
		text string
	}{
		"neither":      {nil, 2, "--name"},
		"both":         {append([]string{"caller.smyth"}, all...), 2, "--name"},
		"component":    {append(slices.Clone(all), "--component", "API"), 2, "--component"},
		"file's flags": {[]string{"caller.smyth", "--token-url", "http://x.test/"}, 2, "go with --name"},
		"file's kind":  {[]string{"caller.smyth", "--client-credentials"}, 2, "go with --name"},
		"no host":      {without("--host", 2), 2, "--any-host"},
		"no client":    {without("--client-id", 2), 2, "the connection needs --client-id"},
		"no token url": {without("--token-url", 2), 2, "the connection needs --token-url"},
		"no user's":    {without("--client-credentials", 1), 2, "the connection needs --authorization-url"},
		"unknown key":  {append(without("--client-secret-key", 2), "--client-secret-key", "nope"), 5, "Access Denied"},
		"no team":      {append(slices.Clone(all), "--team", "a/b"), 2, "the team"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := setUp(t, p, oauth2Settings)
			if code, out, errs := begin(t.Context(), dir, append([]string{"oauth", "connect"}, tt.args...)...).end(); code != tt.code || !strings.Contains(errs, tt.text) {
				t.Errorf("exit code %d, %s%s, want %d with %q", code, out, errs, tt.code, tt.text)
			}
		})
	}
}

func TestOAuthConnect_1(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	dir := setUp(t, p, `"requestTokenURL":"URL/request","accessTokenURL":"URL/access","userAuthorizationURL":"URL/authorize","consumerKey":"consumer","consumerSecret":"{{KEY(secret)}}"`)
	c := begin(t.Context(), dir, "oauth", "connect", "caller.smyth", "--component", "API", "--any-host")
	if at := c.address(t); at.Query().Get("oauth_token") != "temporary" {
		t.Errorf("the address is %s", at)
	}
	p.mu.Lock()
	_, encoded, _ := strings.Cut(p.signed[0], `oauth_callback="`)
	p.mu.Unlock()
	encoded, _, _ = strings.Cut(encoded, `"`)
	back, err := url.QueryUnescape(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := visit(t, back+"&oauth_token=another&oauth_verifier=v"); status != http.StatusBadRequest {
		t.Errorf("another token: status %d", status)
	}
	visit(t, back+"&oauth_token=temporary&oauth_verifier=v")
	if code, out, errs := c.end(); code != 0 || !strings.Contains(out, "connected: the tokens OAUTH_API_TOKENS of caller, for any") {
		t.Fatalf("exit code %d, %s%s", code, out, errs)
	}
	if code, out, errs := begin(t.Context(), dir, "agent", "caller.smyth").end(); code != 0 || !strings.Contains(out, `oauth_token=\"final\"`) {
		t.Errorf("the agent: exit code %d, %s%s, want a signature", code, out, errs)
	}
}

func TestOAuthConnect_Fails(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	tests := []struct {
		name, settings string
		args           []string
		back           string // what the browser brings, besides the state
		code           int
		text           string
	}{
		{name: "user says no", settings: oauth2Settings, back: "&error=access_denied", code: 5, text: "access_denied"},
		{name: "wrong code", settings: oauth2Settings, back: "&code=wrong", code: 5, text: "invalid_grant"},
		{name: "nobody comes", settings: oauth2Settings, args: []string{"--timeout", "10ms"}, code: 7, text: "within 10ms"},
		{name: "no token server", settings: `"authorizationURL":"URL/authorize"`, code: 3, text: "has no tokenURL"},
		{name: "address that is none", settings: strings.Replace(oauth2Settings, "URL/authorize", "javascript:alert(1)", 1), code: 3, text: "no address of the web"},
		{name: "unknown key", settings: strings.Replace(oauth2Settings, "KEY(secret)", "KEY(nope)", 1), code: 5, text: "Access Denied"},
		{name: "no such component", settings: oauth2Settings, args: []string{"--component", "APY"}, code: 4, text: `did you mean "API"`},
		{name: "open address", settings: oauth2Settings, args: []string{"--listen", "0.0.0.0:0"}, code: 2, text: "this machine alone"},
		{name: "hosts and any host", settings: oauth2Settings, args: []string{"--host", "x.test", "--any-host"}, code: 2, text: "exclude"},
		{name: "host of an input", settings: `"url":"http://{{a}}/",` + oauth2Settings, code: 2, text: "--any-host"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := setUp(t, p, tt.settings)
			if strings.HasPrefix(tt.settings, `"url"`) { // instead of the one there is
				text := strings.Replace(caller(p, tt.settings), `"url":"`+p.URL+`/api",`, "", 1)
				if err := os.WriteFile(filepath.Join(dir, "caller.smyth"), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			c := begin(t.Context(), dir, append([]string{"oauth", "connect", "caller.smyth"}, tt.args...)...)
			if tt.back != "" {
				q := c.address(t).Query()
				visit(t, q.Get("redirect_uri")+"?state="+url.QueryEscape(q.Get("state"))+tt.back)
			}
			code, out, errs := c.end()
			if code != tt.code || !strings.Contains(errs, tt.text) || strings.Contains(out+errs, "client-secret") {
				t.Errorf("exit code %d, %s%s, want %d and %q", code, out, errs, tt.code, tt.text)
			}
			if _, err := os.Stat(filepath.Join(dir, ".smyth", "managedvault.db")); err == nil {
				t.Error("something was stored")
			}
		})
	}
}
