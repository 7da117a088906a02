package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// FuzzParseTarget checks that an address that was accepted is one that net/http sends as it is: no control characters, no
// user, a host, and read again the same.
func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"http://a.test/x?y=z#f", "https://u:p@h:1/%zz", `http:\\a\b`, "//x", "http://[::1]:80/a b", "http://a/../..", "HTTP://A?\"<>", "http://a\tb", "ftp://x", "http://%41/", "http://0:"} {
		f.Add(s)
	}
	slots := secret.NewSlots("0123456789abcdef")
	f.Fuzz(func(t *testing.T, text string) {
		to, err := parseTarget(text, slots)
		if err != nil || to.note != "" {
			return
		}
		got := to.url.String()
		if to.url.User != nil || to.url.Hostname() == "" || strings.ContainsFunc(got, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			t.Errorf("parseTarget(%q) = %q", text, got)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, got, nil)
		if err != nil {
			t.Fatalf("parseTarget(%q) = %q, which cannot be asked: %v", text, got, err)
		}
		if req.URL.Host != to.url.Host || req.URL.RequestURI() != to.url.RequestURI() {
			t.Errorf("parseTarget(%q) = %q, which reads as %q", text, got, req.URL)
		}
	})
}

// FuzzLenient checks that a value between quotes arrives as it is, whatever it holds.
func FuzzLenient(f *testing.F) {
	for _, s := range []string{"", `"`, `\`, `\"`, "{{a}}", "srehole0z", "\n", `","b":"`, "'}", "\u2028", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		in := component.Input{Ports: []component.NodePort{{Name: "a"}}, Values: []value.Value{value.Of(text)}}
		tx := newTexts(&component.Call{Node: &component.Node{}, Effects: effect.System{}}, in, value.Value{})
		got, err := tx.lenient(t.Context(), `{"x":"<{{a}}>",'y':['{{a}}'],"{{a}}":1}`)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if got.GetString("x") != "<"+text+">" && text != "x" || got.Get("y").At(0).Plain() != text && text != "y" || got.Get(text).IsAbsent() {
			t.Errorf("%q was read as %s", text, got.JSON())
		}
	})
}

// FuzzFormBody checks that the fields of a form read as they were written.
func FuzzFormBody(f *testing.F) {
	for _, s := range []string{"", "a=b&c", "ü +%", "\x00", "&=;"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		b := formBody(value.Obj(value.M(name, value.Of(text)), value.M("last", value.OfInt(1))))
		got := pairsOf(string(b.data))
		if name == "last" {
			return
		}
		if len(got) != 2 || got[0] != (pair{name, text}) || got[1] != (pair{"last", "1"}) {
			t.Errorf("%q=%q was sent as %q, which reads as %q", name, text, b.data, got)
		}
	})
}
