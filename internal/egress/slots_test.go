package egress

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
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
				return strings.ReplaceAll(s, "S", slots.Put(secret.New(plain).For("127.0.0.1")))
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
	for _, where := range []string{"header", "query", "path", "body"} {
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
			if where == "header" {
				r.Header.Set("X-Key", s)
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
