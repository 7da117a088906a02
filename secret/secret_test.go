package secret

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const canary = "sk-canary-0123456789"

// settings is like a connector's settings: the secret is exported, nested, in a list, in a map, behind a pointer.
type settings struct {
	Key    Value
	Inner  struct{ Key Value }
	List   []Value
	ByName map[string]Value
	Ptr    *Value
	hidden Value
}

func planted() settings {
	v := New(canary)
	s := settings{Key: v, List: []Value{v}, ByName: map[string]Value{"k": v}, Ptr: &v, hidden: v}
	s.Inner.Key = v
	return s
}

// holdsCanary looks for the secret in the forms that encoders turn it into.
func holdsCanary(text string) bool {
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), fmt.Sprintf("% x", canary)} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

func TestValue_NoVerbPrintsIt(t *testing.T) {
	t.Parallel()
	v := New(canary)
	for _, verb := range strings.Split("%v %+v %#v %s %q %x %X %d %t %p %T %U %c %e %10s %-40v %08b", " ") {
		if got := fmt.Sprintf(verb, v); holdsCanary(got) {
			t.Errorf("Sprintf(%q) = %q holds the secret", verb, got)
		}
		for name, in := range map[string]any{"struct": planted(), "pointer": ptr(planted()), "list": []Value{v}, "map": map[string]Value{"k": v}} {
			if got := fmt.Sprintf(verb, in); holdsCanary(got) {
				t.Errorf("Sprintf(%q) of a %s = %q holds the secret", verb, name, got)
			}
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
		if got := fmt.Sprintf(verb, v); got != Redacted {
			t.Errorf("Sprintf(%q) = %q, want %q", verb, got, Redacted)
		}
	}
}

func ptr[T any](v T) *T { return &v }

func TestValue_NoEncoderPrintsIt(t *testing.T) {
	t.Parallel()
	v := New(canary)
	texts := map[string]string{
		"fmt.Sprint":   fmt.Sprint(v, planted()),
		"fmt.Sprintln": fmt.Sprintln(v),
		"String":       v.String(),
		"GoString":     v.GoString(),
		"error":        fmt.Errorf("call with %v: %w", v, errors.New("refused")).Error(),
		"panic text":   recovered(func() { panic(planted()) }),
	}
	if b, err := json.Marshal(planted()); err != nil {
		t.Errorf("json: %v", err)
	} else {
		texts["json"] = string(b)
	}
	if b, err := xml.Marshal(v); err != nil {
		t.Errorf("xml: %v", err)
	} else {
		texts["xml"] = string(b)
	}
	for name, h := range map[string]func(*bytes.Buffer) slog.Handler{
		"slog text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"slog json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var b bytes.Buffer
		slog.New(h(&b)).Info("opened", "key", v, "settings", planted(), slog.Group("g", "key", v))
		if !strings.Contains(b.String(), Redacted) {
			t.Errorf("%s = %q, want %q in it", name, b.String(), Redacted)
		}
		texts[name] = b.String()
	}
	for name, text := range texts {
		if text == "" || holdsCanary(text) {
			t.Errorf("%s = %q, want a text without the secret", name, text)
		}
	}
}

func recovered(f func()) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	f()
	return ""
}

func TestValue_Reveal(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", canary, "a\x00b"} {
		if got := New(s).Reveal(); got != s {
			t.Errorf("New(%q).Reveal() = %q", s, got)
		}
		if got := New(s).IsZero(); got != (s == "") {
			t.Errorf("New(%q).IsZero() = %v", s, got)
		}
	}
	var zero Value
	if zero.Reveal() != "" || !zero.IsZero() || zero.String() != Redacted {
		t.Errorf("zero Value = %q, zero %v, prints %q; want an empty secret that prints like any", zero.Reveal(), zero.IsZero(), zero)
	}
}

func TestT26_AbsentSecretMatchesNothing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		a, b Value
		want bool
	}{
		{"same text", New("k"), New("k"), true},
		{"another text", New("k"), New("l"), false},
		{"prefix", New("k"), New("kk"), false},
		{"both zero", Value{}, Value{}, false},
		{"both empty", New(""), New(""), false},
		{"empty and zero", New(""), Value{}, false},
		{"one empty", New("k"), New(""), false},
		{"other empty", Value{}, New("k"), false},
	}
	for _, tt := range tests {
		if got := tt.a.Equal(tt.b); got != tt.want {
			t.Errorf("%s: Equal = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestOnly(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		hosts []string
		a, b  bool   // may go to a.test, to b.test
		want  string // hosts afterwards
	}{
		{"to any", nil, true, false, "a.test"},
		{"there already", []string{"a.test", "b.test"}, true, false, "a.test"},
		{"below a name", []string{"*.test"}, true, false, "a.test"},
		{"elsewhere", []string{"b.test"}, false, true, "b.test"},
	}
	for _, tt := range tests {
		got := New("s").For(tt.hosts...).Only("a.test")
		if got.MayGoTo("a.test") != tt.a || got.MayGoTo("b.test") != tt.b || strings.Join(got.Hosts(), " ") != tt.want || got.Reveal() != "s" {
			t.Errorf("%s: Only(a.test) is bound to %q, want %q", tt.name, got.Hosts(), tt.want)
		}
	}
}
