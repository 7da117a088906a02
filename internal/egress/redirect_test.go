package egress

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sre-go/sre/internal/limits"
)

// otherIP is the address of a second public server.
const otherIP = "151.101.1.69"

// TestT03_RedirectInside: every kind of redirect to a target inside is refused at the hop, which is not dialled.
func TestT03_RedirectInside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	insideNames(w)
	w.serve("a.test", publicIP, func(rw http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(r.URL.Query().Get("status"))
		rw.Header().Set("Location", r.URL.Query().Get("to"))
		rw.WriteHeader(status)
	})
	c := w.client(Policy{}, limits.Default())
	for _, status := range []int{301, 302, 303, 307, 308} {
		for target, rule := range insideTargets() {
			_, err := get(t.Context(), c, fmt.Sprintf("http://a.test/?status=%d&to=%s", status, target))
			if code(err) != "EGRESS_DENIED("+rule+")" {
				t.Errorf("%d to %s: error = %v, want EGRESS_DENIED(%s)", status, target, err, rule)
			}
		}
		for _, target := range []string{"file:///etc/passwd", "gopher://a.test/", "ftp://a.test/"} {
			if _, err := get(t.Context(), c, fmt.Sprintf("http://a.test/?status=%d&to=%s", status, target)); code(err) != "EGRESS_DENIED(scheme)" {
				t.Errorf("%d to %s: error = %v, want EGRESS_DENIED(scheme)", status, target, err)
			}
		}
	}
	if got := slices.DeleteFunc(w.dialled(), func(d string) bool { return d == publicIP+":80" }); len(got) != 0 {
		t.Errorf("dialled %q, want the public server only", got)
	}
	if got := len(w.denied()); got != 5*(len(insideTargets())+3) {
		t.Errorf("%d records, want one for each refusal", got)
	}
}

// TestT03_Chain: five hops are followed, a sixth is not, whatever the client's own rule for following says.
func TestT03_Chain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("a.test", publicIP, func(rw http.ResponseWriter, r *http.Request) {
		left, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		if left > 0 {
			http.Redirect(rw, r, "/"+strconv.Itoa(left-1), http.StatusFound)
			return
		}
		hello(rw, r)
	})
	c := w.client(Policy{}, limits.Default())
	other := *c
	other.CheckRedirect = func(*http.Request, []*http.Request) error { return nil }
	for name, c := range map[string]*http.Client{"client": c, "another rule": &other, "no rule": {Transport: c.Transport}} {
		if body, err := get(t.Context(), c, "http://a.test/5"); err != nil || body != "hello" {
			t.Errorf("%s: five hops: %q, %v", name, body, err)
		}
		if _, err := get(t.Context(), c, "http://a.test/6"); code(err) != "LIMIT_EXCEEDED(redirects)" {
			t.Errorf("%s: six hops: error = %v, want LIMIT_EXCEEDED(redirects)", name, err)
		}
	}
}

// TestT03_Origin: what was meant for one origin is not told to another, also not after a hop back and forth.
func TestT03_Origin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var seen []http.Header
	w.serve("b.test", otherIP, func(rw http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header)
		if r.URL.Path == "/back" {
			http.Redirect(rw, r, "http://a.test/end", http.StatusFound)
		}
	})
	w.serve("a.test", publicIP, func(rw http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header)
		if to := r.URL.Query().Get("to"); to != "" {
			http.Redirect(rw, r, to, http.StatusFound)
		}
	})
	w.names["sub.a.test"] = []string{publicIP}
	c := w.client(Policy{}, limits.Default())
	secrets := []string{"Authorization", "canary", "Cookie", "canary=1", "X-Api-Key", "canary", "X-Custom", "canary", "Accept", "text/plain"}
	tests := []struct {
		to   string
		hops int
		kept []bool // per hop: are the secrets there?
	}{
		{"/end", 2, []bool{true, true}},
		{"http://a.test:80/end", 2, []bool{true, true}},
		{"http://b.test/", 2, []bool{true, false}},
		{"http://sub.a.test/end", 2, []bool{true, false}},
		{"http://a.test:81/end", 2, []bool{true, false}},
		{"http://b.test/back", 3, []bool{true, false, false}},
	}
	for _, test := range tests {
		seen = nil
		if _, err := get(t.Context(), c, "http://a.test/?key=canary&to="+test.to, secrets...); err != nil {
			t.Errorf("%s: %v", test.to, err)
		}
		if len(seen) != test.hops {
			t.Errorf("%s: %d hops, want %d", test.to, len(seen), test.hops)
			continue
		}
		for i, h := range seen {
			text := fmt.Sprint(h)
			if h.Get("Accept") != "text/plain" || strings.Contains(text, "canary") != test.kept[i] && i > 0 {
				t.Errorf("%s: hop %d got %s", test.to, i, text)
			}
			for _, name := range []string{"Authorization", "Cookie", "X-Api-Key", "X-Custom"} {
				if (h.Get(name) != "") != test.kept[i] {
					t.Errorf("%s: hop %d: %s = %q, want it kept %v", test.to, i, name, h.Get(name), test.kept[i])
				}
			}
		}
	}
}

// TestT03_Body: the body of a request is sent again to its own origin, and to no other.
func TestT03_Body(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	echo := func(rw http.ResponseWriter, r *http.Request) {
		if to := r.URL.Query().Get("to"); to != "" {
			http.Redirect(rw, r, to, http.StatusTemporaryRedirect)
			return
		}
		_, _ = io.Copy(rw, r.Body)
	}
	w.serve("a.test", publicIP, echo)
	w.serve("b.test", otherIP, echo)
	c := w.client(Policy{}, limits.Default())
	for to, want := range map[string]string{"/end": "", "http://b.test/": "EGRESS_DENIED(redirect-body)"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://a.test/?to="+to, strings.NewReader("canary"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := send(c, req)
		if code(err) != want || want == "" && body != "canary" {
			t.Errorf("%s: %q, %v, want code %q", to, body, err, want)
		}
	}
	if slices.Contains(w.dialled(), otherIP+":80") {
		t.Error("the other server was dialled")
	}
}

// TestT03_Downgrade: a redirect may go from http to https and take its headers along, but not back.
func TestT03_Downgrade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var got string
	secure := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("Authorization")
		if r.URL.Path == "/down" {
			http.Redirect(rw, r, "http://example.com/", http.StatusFound)
		}
	}))
	t.Cleanup(secure.Close)
	plain := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "https://example.com/", http.StatusPermanentRedirect)
	}))
	t.Cleanup(plain.Close)
	w.at("example.com", publicIP, secure)
	w.servers[publicIP+":80"] = plain.Listener.Addr().String()
	w.servers[publicIP+":443"] = secure.Listener.Addr().String()
	c := w.client(Policy{}, limits.Default(), trusting(secure))
	if _, err := get(t.Context(), c, "http://example.com/", "Authorization", "canary"); err != nil || got != "canary" {
		t.Errorf("to https: %v, Authorization = %q, want it kept", err, got)
	}
	if _, err := get(t.Context(), c, "https://example.com/down"); code(err) != "EGRESS_DENIED(downgrade)" {
		t.Errorf("to http: error = %v, want EGRESS_DENIED(downgrade)", err)
	}
}
