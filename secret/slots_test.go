package secret

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

func TestT30_SlotsKeepSecretsFromOtherHosts(t *testing.T) {
	t.Parallel()
	s := NewSlots("0123456789abcdef")
	free, bound := s.Put(New("free-key")), s.Put(New("bound/key").For("api.test", "*.inner.test"))
	tests := []struct {
		name, text, host string
		escape           func(string) string
		want             string
		err              error
	}{
		{"no slot", "plain", "any.test", nil, "plain", nil},
		{"free", "Bearer " + free, "any.test", nil, "Bearer free-key", nil},
		{"bound", bound, "api.test", nil, "bound/key", nil},
		{"host in capitals with a dot", bound, "API.test.", nil, "bound/key", nil},
		{"below", bound, "a.inner.test", nil, "bound/key", nil},
		{"above", bound, "inner.test", nil, "", ErrHost},
		{"elsewhere", bound, "api.test.evil.test", nil, "", ErrHost},
		{"escaped", "k=" + bound + "&x", "api.test", url.QueryEscape, "k=bound%2Fkey&x", nil},
		{"two", free + free, "any.test", nil, "free-keyfree-key", nil},
		{"unknown", s.mark + "9z", "any.test", nil, "", ErrSlot},
		{"garbled", s.mark + "-1z", "any.test", nil, "", ErrSlot},
		{"cut", s.mark + "0", "any.test", nil, "", ErrSlot},
	}
	for _, tt := range tests {
		got, err := s.Fill(tt.text, tt.host, tt.escape)
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: Fill = %q, %v, want %q, %v", tt.name, got, err, tt.want, tt.err)
		}
	}
}

func TestSlots_StandInsAreStable(t *testing.T) {
	t.Parallel()
	s := NewSlots("0123456789abcdef")
	a := s.Put(New("k"))
	if got := s.Put(New("k")); got != a {
		t.Errorf("Put of the same = %q, want %q", got, a)
	}
	if got := s.Put(New("k").For("h.test")); got == a {
		t.Error("a bound secret has the stand-in of a free one")
	}
	if strings.Trim(strings.ToLower(a), "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		t.Errorf("the stand-in %q has characters that encodings change", a)
	}
	if (*Slots)(nil).Holds(a) || !s.Holds("x"+a) || NewSlots("fedcba9876543210").Holds(a) {
		t.Error("Holds tells slots apart wrongly")
	}
}

func TestJoin(t *testing.T) {
	t.Parallel()
	free, a, ab, b := New("free"), New("A").For("a.test"), New("AB").For("a.test", "b.test"), New("B").For("b.test")
	tests := []struct {
		name  string
		parts []Value
		text  string
		hosts string // where it may go, of a.test, b.test and c.test
	}{
		{"one", []Value{a}, "A", "a.test"},
		{"text and free", []Value{New("Bearer "), free}, "Bearer free", "a.test b.test c.test"},
		{"text and bound", []Value{New("Bearer "), ab}, "Bearer AB", "a.test b.test"},
		{"both", []Value{a, ab}, "AAB", "a.test"},
		{"nowhere", []Value{a, b}, "AB", ""},
		{"nothing", nil, "", "a.test b.test c.test"},
	}
	for _, tt := range tests {
		got := Join(tt.parts...)
		var hosts []string
		for _, h := range []string{"a.test", "b.test", "c.test"} {
			if got.MayGoTo(h) {
				hosts = append(hosts, h)
			}
		}
		if got.Reveal() != tt.text || strings.Join(hosts, " ") != tt.hosts {
			t.Errorf("%s: Join = %q to %q, want %q to %q", tt.name, got.Reveal(), hosts, tt.text, tt.hosts)
		}
	}
}

// A stream that is filled in pieces is filled like the whole, wherever it is cut.
func TestSlots_Partial(t *testing.T) {
	t.Parallel()
	s := NewSlots("0123456789abcdef")
	var whole strings.Builder
	for i := range 12 {
		whole.WriteString("sre, sreslot, sreslot0123, " + s.Put(New("key"+strconv.Itoa(i))) + s.Put(New("x")) + " z0")
	}
	text := []byte(whole.String())
	want, err := s.Fill(whole.String(), "a.test", nil)
	if err != nil {
		t.Fatal(err)
	}
	for step := 1; step < len(text); step++ {
		var got strings.Builder
		var kept []byte
		for at := 0; at < len(text); at += step {
			kept = append(kept, text[at:min(at+step, len(text))]...)
			ready := len(kept) - s.Partial(kept)
			if at+step >= len(text) {
				ready = len(kept)
			}
			filled, err := s.Fill(string(kept[:ready]), "a.test", nil)
			if err != nil {
				t.Fatalf("pieces of %d: %v", step, err)
			}
			got.WriteString(filled)
			kept = kept[ready:]
			if len(kept) > 64 {
				t.Fatalf("pieces of %d: %d bytes are kept", step, len(kept))
			}
		}
		if got.String() != want {
			t.Errorf("pieces of %d: %q, want %q", step, got.String(), want)
		}
	}
	if got := (*Slots)(nil).Partial(text); got != 0 {
		t.Errorf("no slots keep %d bytes, want none", got)
	}
}

func TestSlots_Within(t *testing.T) {
	t.Parallel()
	s := NewSlots("0123456789abcdef")
	standin := s.Put(New("key"))
	if !s.Within([]byte("a"+standin)) || s.Within([]byte("a key")) || (*Slots)(nil).Within([]byte(standin)) {
		t.Error("Within does not tell a text with a stand-in from others")
	}
}
