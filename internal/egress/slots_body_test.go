package egress

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// received is a body as a server got it.
type received struct {
	body     string
	length   int64
	encoding string
}

// noting is a server that notes the bodies it gets.
func noting(to *received) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body) // what was cut off counts as far as it came
		*to = received{string(text), r.ContentLength, strings.Join(r.TransferEncoding, ",")}
	}
}

// plainReader hides what else a reader can do, so that the length of a body is not known.
type plainReader struct{ io.Reader }

// Bodies are filled whether they are held, read twice or streamed, and their length is right.
func TestSlots_Bodies(t *testing.T) {
	t.Parallel()
	l := limits.Default()
	l.JSONBytes = 1000
	slots := secret.NewSlots("0123456789abcdef")
	key := strings.Repeat("k", 100) + `"`
	standin := slots.Put(secret.New(key).For("a.test"))
	long := func(s string) string { return strings.Repeat("x", 100_000) + s + strings.Repeat("y", 100_000) + s }
	tests := []struct {
		name, kind, body string
		unknown, once    bool
		want             string
		length           int64 // -1 for chunked
	}{
		{"short", "text/plain", "a" + standin + "b", false, false, "a" + key + "b", 103},
		{"short, nothing to fill", "text/plain", "ab", false, false, "ab", 2},
		{"long", "text/plain", long(standin), false, false, long(key), 200_202},
		{"long, nothing to fill", "text/plain", long("-"), false, false, long("-"), 200_002},
		{"long JSON", "application/json", `"` + long(standin) + `"`, false, false, `"` + long(key[:100]+`\"`) + `"`, 200_206},
		{"long, read once", "text/plain", long(standin), false, true, long(key), -1},
		{"of unknown length", "multipart/form-data; boundary=x", long(standin), true, true, long(key), -1},
		{"of unknown length, short", "text/plain", standin, true, true, key, -1},
		{"of unknown length, nothing to fill", "text/plain", "ab", true, true, "ab", -1},
		{"of unknown length, read again", "text/plain", standin, true, false, key, -1},
		{"the beginning of a stand-in at the end", "text/plain", long("") + standin[:9], true, true, long("") + standin[:9], -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got received
			w := newWorld(t)
			w.serve("a.test", publicIP, noting(&got))
			req, err := http.NewRequestWithContext(secret.WithSlots(t.Context(), slots), http.MethodPost, "http://a.test/", strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", tt.kind)
			if tt.unknown {
				req.Body, req.ContentLength = io.NopCloser(plainReader{req.Body}), -1
			}
			if tt.once {
				req.GetBody = nil
			}
			if _, err := send(w.client(Policy{}, l), req); err != nil {
				t.Fatal(err)
			}
			want := received{tt.want, tt.length, ""}
			if tt.length < 0 {
				want.encoding = "chunked"
			}
			if got != want {
				t.Errorf("the server got %d bytes %.60q, length %d %s, want %d, %d %s", len(got.body), got.body, got.length, got.encoding, len(want.body), want.length, want.encoding)
			}
		})
	}
}

// TestT30_StreamToTheWrongHost: a body that is filled on its way ends before a secret that may not go to the host; one
// that can be looked at before is not begun.
func TestT30_StreamToTheWrongHost(t *testing.T) {
	t.Parallel()
	l := limits.Default()
	l.JSONBytes = 1000
	for _, tt := range []struct {
		name    string
		unknown bool
	}{{"read twice", false}, {"streamed", true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := received{body: "nothing"}
			w := newWorld(t)
			srv := w.serve("a.test", publicIP, noting(&got))
			slots := secret.NewSlots("0123456789abcdef")
			body := strings.Repeat("x", 100_000) + slots.Put(secret.New("canary").For("b.test"))
			req, err := http.NewRequestWithContext(secret.WithSlots(t.Context(), slots), http.MethodPost, "http://a.test/", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if tt.unknown {
				req.Body, req.GetBody, req.ContentLength = io.NopCloser(plainReader{req.Body}), nil, -1
			}
			c := w.client(Policy{}, l)
			if _, err := send(c, req); code(err) != "EGRESS_DENIED(secret_host)" || strings.Contains(err.Error(), "canary") {
				t.Errorf("error = %v, want EGRESS_DENIED(secret_host)", err)
			}
			if !tt.unknown && w.dialled() != nil {
				t.Error("the server was dialled")
			}
			if n := len(w.denied()); n != 1 {
				t.Errorf("%d records, want 1", n)
			}
			c.CloseIdleConnections()
			srv.Close() // waits for what it noted
			if strings.Contains(got.body, "canary") {
				t.Error("the server got the secret")
			}
		})
	}
}

// A body that fails, or that is longer than it says, is not sent as if it were whole, and is closed.
func TestSlots_BrokenBodies(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	slots := secret.NewSlots("0123456789abcdef")
	slots.Put(secret.New("key"))
	l := limits.Default()
	l.JSONBytes = 1000
	tests := []struct {
		name   string
		body   io.Reader
		length int64
		get    func() (io.ReadCloser, error)
	}{
		{"fails", io.MultiReader(strings.NewReader("ab"), failing{broken}), 5, nil},
		{"is too short", strings.NewReader("ab"), 5, nil},
		{"is too long", strings.NewReader("abcdef"), 5, nil},
		{"fails on its way", io.MultiReader(strings.NewReader("ab"), failing{broken}), -1, nil},
		{"cannot be read twice", strings.NewReader(strings.Repeat("a", 2000)), 2000, func() (io.ReadCloser, error) { return nil, broken }},
		{"fails the first time", strings.NewReader(strings.Repeat("a", 2000)), 2000, func() (io.ReadCloser, error) { return io.NopCloser(failing{broken}), nil }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got received
			w := newWorld(t)
			w.serve("a.test", publicIP, noting(&got))
			req, err := http.NewRequestWithContext(secret.WithSlots(t.Context(), slots), http.MethodPost, "http://a.test/", nil)
			if err != nil {
				t.Fatal(err)
			}
			body := &closing{Reader: tt.body, closed: make(chan struct{})}
			req.Body, req.ContentLength, req.GetBody = body, tt.length, tt.get
			if text, err := send(w.client(Policy{}, l), req); err == nil {
				t.Errorf("%q, want an error", text)
			}
			<-body.closed
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// closing tells when it is closed.
type closing struct {
	io.Reader
	closed chan struct{}
	once   sync.Once
}

func (c *closing) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

// FuzzFill: whatever a secret is, it is what the server reads from the place it was written to.
func FuzzFill(f *testing.F) {
	f.Add("key", 3)
	f.Add("a&b=c %2f\"\\\x00\r\n/é", 1)
	f.Add("\u2028</script>", 7)
	f.Fuzz(func(t *testing.T, key string, step int) {
		if key == "" || !utf8.ValidString(key) || step < 1 {
			return
		}
		slots := secret.NewSlots("0123456789abcdef")
		standin := slots.Put(secret.New(key))
		fl := filler{slots: slots, host: "a.test"}
		r := &http.Request{URL: &url.URL{Scheme: "http", Host: "a.test", Path: "/x/" + standin + "/y", RawQuery: "a=1&k=" + standin + "&b=2"}}
		fl.address(r)
		again, err := url.Parse(r.URL.String())
		if err != nil || again.Path != "/x/"+key+"/y" || again.Query().Get("k") != key || again.Query().Get("b") != "2" || again.Host != "a.test" {
			t.Errorf("the address %q is read as %+v, %v", r.URL, again, err)
		}
		for kind, read := range map[string]func(string) string{
			"application/json": func(s string) string {
				v, err := value.Parse(s)
				if err != nil {
					t.Errorf("%q: %v", s, err)
				}
				return v.GetString("k")
			},
			"application/x-www-form-urlencoded": func(s string) string {
				v, err := url.ParseQuery(s)
				if err != nil {
					t.Errorf("%q: %v", s, err)
				}
				return v.Get("k")
			},
			"text/plain": func(s string) string { return strings.TrimSuffix(strings.TrimPrefix(s, "k="), "&b=1") },
		} {
			body := "k=" + standin + "&b=1"
			if kind == "application/json" {
				body = `{"k":"` + standin + `"}`
			}
			text, err := io.ReadAll(fl.stream(io.NopCloser(&slow{[]byte(body), step}), escapeFor(kind)))
			if got := read(string(text)); err != nil || got != key {
				t.Errorf("%s: the server reads %q, %v, want %q", kind, got, err, key)
			}
		}
		if fl.err != nil {
			t.Errorf("error = %v", fl.err)
		}
	})
}

// slow gives a text in small pieces.
type slow struct {
	text []byte
	step int
}

func (s *slow) Read(p []byte) (int, error) {
	if len(s.text) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.text[:min(s.step, len(s.text))])
	s.text = s.text[n:]
	return n, nil
}

func BenchmarkFillStream(b *testing.B) {
	slots := secret.NewSlots("0123456789abcdef")
	text := []byte(strings.Repeat(strconv.Itoa(123456789), 100_000) + slots.Put(secret.New("key")))
	f := filler{slots: slots, host: "a.test"}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.Copy(io.Discard, f.stream(io.NopCloser(bytes.NewReader(text)), nil)); err != nil {
			b.Fatal(err)
		}
	}
}
