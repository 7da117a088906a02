package egress

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/secret"
)

// seen is what a server was sent.
type seen struct {
	uri, auth, key, body string
}

// keyServer notes what it is sent.
func keyServer(t *testing.T, got *seen) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*got = seen{r.RequestURI, r.Header.Get("Authorization"), r.Header.Get("X-Key"), string(body)}
		if to := r.URL.Query().Get("to"); to != "" {
			http.Redirect(w, r, to, http.StatusFound)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func TestT30_SecretsAreFilledAtTheDoor(t *testing.T) {
	t.Parallel()
	const plain = `pa/ss "wo&rd`
	tests := []struct {
		name, path, contentType, body string // with S where the secret belongs
		header                        string
		want                          seen
	}{
		{"header", "/", "", "", "Bearer S", seen{uri: "/", auth: "Bearer " + plain}},
		{"basic", "/", "", "", "Basic user:S", seen{uri: "/", auth: "Basic dXNlcjpwYS9zcyAid28mcmQ="}},
		{"basic in lower case", "/", "", "", "basic user:S", seen{uri: "/", auth: "Basic dXNlcjpwYS9zcyAid28mcmQ="}},
		{"basic, encoded", "/", "", "", "Basic base64(user:S)", seen{uri: "/", auth: "Basic dXNlcjpwYS9zcyAid28mcmQ="}},
		{"basic, encoded, the user", "/", "", "", "Basic base64(S:word)", seen{uri: "/", auth: "Basic cGEvc3MgIndvJnJkOndvcmQ="}},
		{"basic, without a colon", "/", "", "", "Basic S", seen{uri: "/", auth: "Basic " + plain}},
		{"query", "/x?k=S&b=1", "", "", "", seen{uri: "/x?k=pa%2Fss+%22wo%26rd&b=1"}},
		{"path", "/x/S/y", "", "", "", seen{uri: "/x/pa%2Fss%20%22wo&rd/y"}},
		{"json", "/", "application/json; charset=utf-8", `{"k":"S"}`, "", seen{uri: "/", body: `{"k":"pa/ss \"wo&rd"}`}},
		{"form", "/", "application/x-www-form-urlencoded", `k=S&b=1`, "", seen{uri: "/", body: `k=pa%2Fss+%22wo%26rd&b=1`}},
		{"text", "/", "text/plain", `k=S`, "", seen{uri: "/", body: "k=" + plain}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got seen
			server := keyServer(t, &got)
			client, err := New(Policy{AllowPrivate: true}, limits.Default())
			if err != nil {
				t.Fatal(err)
			}
			defer client.CloseIdleConnections()
			slots := secret.NewSlots("0123456789abcdef")
			put := func(s string) string {
				s = strings.ReplaceAll(s, "S", slots.Put(secret.New(plain).For("127.0.0.1")))
				before, inside, ok := strings.Cut(s, "base64(")
				if !ok {
					return s
				}
				return before + base64.StdEncoding.EncodeToString([]byte(strings.TrimSuffix(inside, ")")))
			}
			r, err := http.NewRequestWithContext(secret.WithSlots(t.Context(), slots), http.MethodPost, server.URL+put(tt.path), strings.NewReader(put(tt.body)))
			if err != nil {
				t.Fatal(err)
			}
			if tt.contentType != "" {
				r.Header.Set("Content-Type", tt.contentType)
			}
			if tt.header != "" {
				r.Header.Set("Authorization", put(tt.header))
			}
			resp, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if got != tt.want {
				t.Errorf("sent %+v, want %+v", got, tt.want)
			}
			if shown := resp.Request.URL.String() + resp.Request.Header.Get("Authorization"); strings.Contains(shown, "pa/ss") || strings.Contains(shown, "pa%2Fss") || strings.Contains(shown, "dXNlcjpw") {
				t.Errorf("the answer shows the secret: %s", shown)
			}
		})
	}
}

func TestT30_SecretToTheWrongHost(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"header", "credentials", "query", "path", "body"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			got := seen{uri: "nothing"}
			server := keyServer(t, &got)
			bus := new(event.Bus)
			var denied []access.Decision
			client, err := New(Policy{AllowPrivate: true}, limits.Default(), WithEvents(bus))
			if err != nil {
				t.Fatal(err)
			}
			defer client.CloseIdleConnections()
			onDecision(bus, &denied)
			slots := secret.NewSlots("0123456789abcdef")
			s := slots.Put(secret.New("canary-key").For("api.test"))
			target, body := server.URL, ""
			switch where {
			case "query":
				target += "/?k=" + s
			case "path":
				target += "/" + s
			case "body":
				body = s
			}
			r, err := http.NewRequestWithContext(secret.WithSlots(t.Context(), slots), http.MethodPost, target, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			switch where {
			case "header":
				r.Header.Set("X-Key", s)
			case "credentials":
				r.SetBasicAuth("user", s)
			}
			_, err = client.Do(r)
			if fault.CodeOf(err) != "EGRESS_DENIED(secret_host)" || strings.Contains(err.Error(), "canary") {
				t.Errorf("err = %v, want EGRESS_DENIED(secret_host)", err)
			}
			if got.uri != "nothing" {
				t.Errorf("the server was sent %+v", got)
			}
			if len(denied) != 1 || string(denied[0].Rule) != "secret_host" {
				t.Errorf("audited %+v, want one denial", denied)
			}
		})
	}
}

func TestT03_RedirectDropsSecrets(t *testing.T) {
	t.Parallel()
	var first, second seen
	to := keyServer(t, &second)
	from := keyServer(t, &first)
	client, err := New(Policy{AllowPrivate: true}, limits.Default())
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	slots := secret.NewSlots("0123456789abcdef")
	r, err := http.NewRequestWithContext(secret.WithSlots(t.Context(), slots), http.MethodGet, from.URL+"/?to="+to.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Key", slots.Put(secret.New("canary-key")))
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if first.key != "canary-key" || second.key != "" || second.uri != "/" {
		t.Errorf("the first host saw %+v, the second %+v; want the key at the first alone", first, second)
	}
}

// A secret that is a user and a password at once is encoded as such.
func TestSlots_WholeCredentials(t *testing.T) {
	t.Parallel()
	slots := secret.NewSlots("0123456789abcdef")
	f := filler{slots: slots, host: "a.test"}
	if got, want := f.header("Basic "+slots.Put(secret.New("user:word"))), "Basic dXNlcjp3b3Jk"; got != want || f.err != nil {
		t.Errorf("header = %q, %v, want %q", got, f.err, want)
	}
	for _, v := range []string{"Basic", "Basic ", "Basic dXNlcjp3b3Jk", "Bearer dXNlcjp3b3Jk", "Basic !", ""} {
		if f.holds(v) {
			t.Errorf("%q is said to hold a stand-in", v)
		}
	}
}

// TestT03_SecretsAndRedirects: within an origin secrets are filled at each hop, and no hop is told the address before it;
// what leads elsewhere is given none, whatever it asks for.
func TestT03_SecretsAndRedirects(t *testing.T) {
	t.Parallel()
	slots := secret.NewSlots("0123456789abcdef")
	standin := slots.Put(secret.New("canary-key")) // that may go to any host
	tests := []struct {
		name, to string
		want     string // code
		hops     []string
	}{
		{"within the origin", "/end", "", []string{"/start?k=canary-key&to=%2Fend", "/end"}},
		{"with the stand-in, within the origin", "/end?k=" + standin, "", []string{"/start?k=canary-key&to=%2Fend%3Fk%3Dcanary-key", "/end?k=canary-key"}},
		{"to another origin", "http://b.test/end", "", []string{"/start?k=canary-key&to=http%3A%2F%2Fb.test%2Fend", "/end"}},
		{"with the stand-in, to another origin", "http://b.test/?k=" + standin, "EGRESS_DENIED(secret_host)", []string{"/start?"}},
		{"with the stand-in in the path", "http://b.test/" + standin, "EGRESS_DENIED(secret_host)", []string{"/start?"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var hops []string
			handler := func(rw http.ResponseWriter, r *http.Request) {
				hops = append(hops, r.RequestURI)
				for name, values := range r.Header {
					if strings.Contains(strings.Join(values, " "), "canary") || name == "Referer" {
						t.Errorf("%s: %s = %q", r.URL.Path, name, values)
					}
				}
				if r.URL.Path == "/start" {
					rw.Header().Set("Location", tt.to)
					rw.WriteHeader(http.StatusFound)
				}
			}
			w.serve("a.test", publicIP, handler)
			w.serve("b.test", otherIP, handler)
			_, err := get(secret.WithSlots(t.Context(), slots), w.client(Policy{}, limits.Default()), "http://a.test/start?k="+standin+"&to="+url.QueryEscape(tt.to))
			if code(err) != tt.want || err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("error = %v, want code %q", err, tt.want)
			}
			if len(hops) != len(tt.hops) {
				t.Fatalf("hops %q, want %q", hops, tt.hops)
			}
			for i, hop := range hops {
				if !strings.HasPrefix(hop, tt.hops[i]) {
					t.Errorf("hop %d was %s, want %s", i, hop, tt.hops[i])
				}
			}
		})
	}
}

// TestT30_ErrorsKeepTheSecret: whatever ends a request whose address holds a secret, its error does not show it.
func TestT30_ErrorsKeepTheSecret(t *testing.T) {
	t.Parallel()
	slots := secret.NewSlots("0123456789abcdef")
	standin := slots.Put(secret.New("canary-key"))
	ctx := secret.WithSlots(t.Context(), slots)
	w := newWorld(t)
	w.serve("cut.test", publicIP, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	w.serve("loop.test", otherIP, func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "/again", http.StatusFound)
	})
	w.serve("bad.test", "8.8.8.8", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Location", "http://[::1]:x/") // no address
		rw.WriteHeader(http.StatusFound)
	})
	c := w.client(Policy{}, limits.Default())
	for _, target := range []string{"http://cut.test/", "http://loop.test/", "http://bad.test/", "http://nowhere.test/", "http://127.0.0.1/", "https://cut.test/"} {
		body, err := get(ctx, c, target+standin+"?k="+standin, "X-Key", standin)
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %q, %v, want an error without the secret", target, body, err)
		}
	}
	for _, d := range w.denied() {
		if strings.Contains(d.Resource, "canary") || strings.Contains(d.Resource, standin) {
			t.Errorf("the record shows what was asked: %+v", d)
		}
	}
}

func TestSlots_ControlCharacters(t *testing.T) {
	t.Parallel()
	got := seen{uri: "nothing"}
	server := keyServer(t, &got)
	client, err := New(Policy{AllowPrivate: true}, limits.Default())
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	slots := secret.NewSlots("0123456789abcdef")
	r, err := http.NewRequestWithContext(secret.WithSlots(t.Context(), slots), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Key", slots.Put(secret.New("a\r\nHost: evil")))
	if _, err = client.Do(r); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "X-Key") || got.uri != "nothing" {
		t.Errorf("err = %v, sent %+v; want a refusal that names the header", err, got)
	}
}

// onDecision notes what is told to the audit.
func onDecision(bus *event.Bus, to *[]access.Decision) {
	event.On(bus, func(_ context.Context, d access.Decision) { *to = append(*to, d) })
}

// TestT03_SecretInHarmlessHeader: a header that may go anywhere takes no secret along.
func TestT03_SecretInHarmlessHeader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("a.test", publicIP, func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "http://b.test/", http.StatusFound)
	})
	w.serve("b.test", otherIP, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the other host was sent %v", r.Header) })
	slots := secret.NewSlots("0123456789abcdef")
	_, err := get(secret.WithSlots(t.Context(), slots), w.client(Policy{}, limits.Default()), "http://a.test/", "Accept", slots.Put(secret.New("canary-key")))
	if code(err) != "EGRESS_DENIED(secret_host)" {
		t.Errorf("error = %v, want EGRESS_DENIED(secret_host)", err)
	}
}
