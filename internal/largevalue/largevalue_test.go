package largevalue

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/leak"
	"github.com/sre-go/sre/value"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

func parse(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// shelf keeps texts.
type shelf map[string]string

func (s shelf) put(id, text string) error { s[id] = text; return nil }

func (s shelf) get(id string) (string, error) {
	text, ok := s[id]
	if !ok {
		return "", fault.Newf(fault.NotFound, "no such text")
	}
	return text, nil
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", Threshold)
	tests := []struct {
		name, text string
		kept       int
	}{
		{"nothing large", `{"a":[1,"b",null,{"c":true}]}`, 0},
		{"a large text", `"` + big + `"`, 1},
		{"deep", `{"a":[1,{"b":"` + big + `"},"` + big + `y"],"c":"` + big + `"}`, 2},
		{"looks like a reference", `{"a":{"$large":"0000"},"b":[{"$large":5}],"c":{"$large":{"$large":"x"}}}`, 0},
		{"looks like one and is large", `{"$large":"` + big + `"}`, 1},
		{"a longer object with the name", `{"$large":"x","y":1}`, 0},
	}
	for _, tt := range tests {
		s := shelf{}
		v := parse(t, tt.text)
		out, err := Out(v, s.put)
		if err != nil || len(s) != tt.kept || len(out.JSON()) > Threshold {
			t.Errorf("%s: Out keeps %d texts and leaves %d bytes, %v; want %d texts", tt.name, len(s), len(out.JSON()), err, tt.kept)
		}
		if back, err := In(out, s.get); err != nil || back.JSON() != tt.text {
			t.Errorf("%s: In = %.100s, %v, want what it was", tt.name, back.JSON(), err)
		}
	}
}

func TestT46_WrongText(t *testing.T) {
	t.Parallel()
	s := shelf{}
	out, err := Out(value.Of(strings.Repeat("x", Threshold)), s.put)
	if err != nil {
		t.Fatal(err)
	}
	for id := range s {
		s[id] += "tampered"
	}
	if _, err := In(out, s.get); fault.CodeOf(err) != "RECORD_DAMAGED" {
		t.Errorf("In of a text that was changed = %v, want RECORD_DAMAGED", err)
	}
	if _, err := In(out, shelf{}.get); !fault.Is(err, fault.NotFound) {
		t.Errorf("In of a text that is gone = %v, want NotFound", err)
	}
	full := errors.New("disk full")
	if _, err := Out(parse(t, `[{"a":"`+strings.Repeat("x", Threshold)+`"}]`), func(string, string) error { return full }); !errors.Is(err, full) {
		t.Errorf("Out = %v, want the error of put", err)
	}
}

func FuzzRoundTrip(f *testing.F) {
	f.Add(`{"$large":{"$large":[{"$large":"a"}]}}`)
	f.Add(`[{"$large":null},"b"]`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := value.Parse(text)
		if err != nil {
			return
		}
		s := shelf{}
		out, err := Out(v, s.put)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := In(out, s.get); err != nil || back.JSON() != v.JSON() {
			t.Errorf("%s came back as %s, %v", v.JSON(), back.JSON(), err)
		}
	})
}
