package redact

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

const canary = "canary/0123"

func parse(tb testing.TB, text string) value.Value {
	tb.Helper()
	v, err := value.Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func TestT29_Values(t *testing.T) {
	t.Parallel()
	r := secret.NewRedactor(secret.New(canary), secret.New("12345678"))
	tests := []struct{ name, in, want string }{
		{"text", `"a canary/0123 b"`, `"a [REDACTED] b"`},
		{"escaped", `"canary%2F0123 Y2FuYXJ5LzAxMjM="`, `"[REDACTED] [REDACTED]"`},
		{"name", `{"a":1,"canary/0123":2,"z":3}`, `{"a":1,"[REDACTED]":2,"z":3}`},
		{"names that become one", `{"canary/0123":1,"canary%2f0123":2,"[REDACTED]''":3}`, `{"[REDACTED]":1,"[REDACTED]'":2,"[REDACTED]''":3}`},
		{"deep", `{"a":[1,{"b":["x","canary/0123",null]}],"c":true}`, `{"a":[1,{"b":["x","[REDACTED]",null]}],"c":true}`},
		{"number", `{"pin":12345678,"n":1234567}`, `{"pin":"[REDACTED]","n":1234567}`},
		{"nothing", `{"a":[1,"x",null,false,{}]}`, `{"a":[1,"x",null,false,{}]}`},
		{"null", `null`, `null`},
	}
	for _, tt := range tests {
		if got := Value(r, parse(t, tt.in)).JSON(); got != tt.want {
			t.Errorf("%s: Value(%s) = %s, want %s", tt.name, tt.in, got, tt.want)
		}
		if got := Value(nil, parse(t, tt.in)).JSON(); got != tt.in {
			t.Errorf("%s: without a redactor = %s", tt.name, got)
		}
	}
	if got := Value(r, value.Value{}); !got.IsAbsent() {
		t.Errorf("Value of nothing = %v, want nothing", got)
	}
	if got := Value(secret.NewRedactor(secret.New(canary)), parse(t, `[12345678]`)).JSON(); got != `[12345678]` {
		t.Errorf("a number that is no secret became %s", got)
	}
}

// What holds no secret is not copied.
func TestValue_CopiesNothing(t *testing.T) {
	r, v := secret.NewRedactor(secret.New(canary)), parse(t, `{"a":[1,"some text",{"b":"more text"}],"c":"`+strings.Repeat("x", 1000)+`"}`)
	if n := testing.AllocsPerRun(20, func() {
		if got := Value(r, v); &got.Members()[0] != &v.Members()[0] {
			t.Error("the members were copied")
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func TestTextsAndValues(t *testing.T) {
	t.Parallel()
	r := secret.NewRedactor(secret.New(canary))
	a, b, v := "x", canary, value.Of(canary)
	Texts(r, &a, &b)
	Values(r, &v)
	if a != "x" || b != secret.Redacted || v.Text() != secret.Redacted {
		t.Errorf("redacted are %q, %q and %q", a, b, v.Text())
	}
	if got := All([]*secret.Redactor{nil, r, secret.NewRedactor(secret.New("another"))}, canary+" another"); got != secret.Redacted+" "+secret.Redacted {
		t.Errorf("All = %q", got)
	}
}

// TestT29_OverTwoPieces: a secret in two pieces of a stream is taken out; little more than its beginning is held back.
func TestT29_OverTwoPieces(t *testing.T) {
	t.Parallel()
	r := secret.NewRedactor(secret.New(canary))
	s := NewStream(r)
	var got []string
	for _, piece := range []string{"key: can", "ary/01", "23, that", " is it. c"} {
		got = append(got, s.Next(piece))
	}
	got = append(got, s.End())
	if want := "key: ||[REDACTED], that| is it. |c"; strings.Join(got, "|") != want {
		t.Errorf("pieces are %q, want %q", strings.Join(got, "|"), want)
	}
	none := NewStream(nil)
	if got := none.Next(canary) + none.End(); got != canary {
		t.Errorf("without a redactor = %q", got)
	}
}

func FuzzStream(f *testing.F) {
	f.Add("x canary/0123 y canary/012", uint64(1))
	f.Add("canary%2F0123Y2FuYXJ5LzAxMjM", uint64(2))
	r := secret.NewRedactor(secret.New(canary), secret.New("0123456"))
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		random, s := rand.New(rand.NewPCG(seed, 0)), NewStream(r)
		var got strings.Builder
		for rest := text; rest != ""; {
			n := min(len(rest), random.IntN(6))
			got.WriteString(s.Next(rest[:n]))
			rest = rest[n:]
		}
		got.WriteString(s.End())
		if want := r.Text(text); got.String() != want {
			t.Errorf("%q in pieces = %q, want %q", text, got.String(), want)
		}
	})
}

func BenchmarkValue(b *testing.B) {
	r, v := secret.NewRedactor(secret.New(canary)), parse(b, `{"a":[1,"some text",{"b":"more text"}],"c":"`+strings.Repeat("x", 1000)+`"}`)
	b.ReportAllocs()
	for b.Loop() {
		Value(r, v)
	}
}
