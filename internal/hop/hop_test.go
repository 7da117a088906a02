package hop

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
)

func sign(t *testing.T, k *Key, h Hop) string {
	t.Helper()
	text, err := k.Sign(h)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestSignAndVerify(t *testing.T) {
	t.Parallel()
	k := NewKey(effect.System{})
	tests := []struct {
		name     string
		in, want Hop
	}{
		{"one deep", Hop{1, "rt-2026-11-23-10-00-00.ABC", ""}, Hop{1, "rt-2026-11-23-10-00-00.ABC", ""}},
		{"deep", Hop{7, "x", ""}, Hop{7, "x", ""}},
		{"a budget", Hop{2, "rt.1", "MFRGGZDFMZTWQ2LKNNWG23TPOA"}, Hop{2, "rt.1", "MFRGGZDFMZTWQ2LKNNWG23TPOA"}},
		{"beyond all bounds", Hop{1 << 40, "x", ""}, Hop{maxDepth, "x", ""}},
		{"no run", Hop{1, "", ""}, Hop{1, "", ""}},
		{"a run that no header can hold", Hop{1, "a\r\nHost: evil", ""}, Hop{1, plain("a\r\nHost: evil"), ""}},
		{"a run that is too long", Hop{1, strings.Repeat("a", 201), ""}, Hop{1, plain(strings.Repeat("a", 201)), ""}},
	}
	for _, tt := range tests {
		text := sign(t, k, tt.in)
		if strings.ContainsAny(text, "\r\n: ") || len(text) > 300 {
			t.Errorf("%s: signed %q, want what a header can hold", tt.name, text)
		}
		if got, err := k.Verify(text); got != tt.want || err != nil {
			t.Errorf("%s: Verify(%q) = %+v, %v, want %+v", tt.name, text, got, err, tt.want)
		}
	}
	for _, budget := range []string{"a.b", "a\nb", strings.Repeat("a", MaxBudget+1)} {
		if text, err := k.Sign(Hop{1, "x", budget}); err == nil {
			t.Errorf("a budget %.20q is signed as %q", budget, text)
		}
	}
	for _, h := range []Hop{{}, {0, "x", ""}, {-1, "x", ""}} {
		if got := sign(t, k, h); got != "" {
			t.Errorf("Sign(%+v) = %q, want nothing", h, got)
		}
	}
}

// TestT09_Forged: what this key did not sign is not believed, whatever of a signed text is changed.
func TestT09_Forged(t *testing.T) {
	t.Parallel()
	k := NewKey(effect.System{})
	good := sign(t, k, Hop{3, "run-1", ""})
	for i := range len(good) {
		for _, c := range []byte("0z.-") {
			if bad := good[:i] + string(c) + good[i+1:]; bad != good {
				if got, err := k.Verify(bad); !fault.Is(err, fault.Unauthenticated) || got != (Hop{}) {
					t.Errorf("Verify(%q) = %+v, %v, want it refused", bad, got, err)
				}
			}
		}
	}
	for _, bad := range []string{
		"", ".", "..", "3", "3.run-1", good[:len(good)-1], good + "=", " " + good, "0" + good, "+" + good, strings.Replace(good, "3.", "03.", 1),
		strings.Replace(good, "3.", "2.", 1), strings.Replace(good, "run-1", "run-2", 1), strings.Repeat("9", 1<<16) + good,
	} {
		if got, err := k.Verify(bad); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("Verify(%.60q) = %+v, %v, want it refused", bad, got, err)
		}
	}
	if _, err := NewKey(effect.System{}).Verify(good); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("another key: %v, want it refused", err)
	}
}

// Where a run is in nothing, there is no hop.
func TestContext(t *testing.T) {
	t.Parallel()
	if got := Of(t.Context()); got != (Hop{}) {
		t.Errorf("Of = %+v, want nothing", got)
	}
	want := Hop{2, "x", ""}
	if got := Of(With(t.Context(), want)); got != want {
		t.Errorf("Of = %+v, want %+v", got, want)
	}
	arrived := Arrived(t.Context(), want)
	if got := From(arrived); got != want || Of(arrived) != (Hop{}) || From(t.Context()) != (Hop{}) {
		t.Errorf("From = %+v and Of = %+v, want %+v to be where it came from alone", got, Of(arrived), want)
	}
}

// The key of a folder is made by the first signature, for its owner alone, and outlives the process.
func TestFileKey(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	open := func() *Key {
		k := FileKey(dir, effect.System{})
		t.Cleanup(func() {
			if err := k.Close(); err != nil {
				t.Error(err)
			}
		})
		return k
	}
	first, second := open(), open()
	if _, err := second.Verify("1.x." + strings.Repeat("a", 43)); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("Verify without a key: %v, want it refused", err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder was made by looking: %v", err)
	}
	text := sign(t, first, Hop{1, "x", ""})
	if got, err := second.Verify(text); err != nil || got.Depth != 1 {
		t.Errorf("Verify by another process = %+v, %v", got, err)
	}
	info, err := os.Stat(filepath.Join(dir, File))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v, want mode 0600", info, err)
	}
	for _, broken := range []string{"", "xyz", strings.Repeat("a", 62)} {
		if err := os.WriteFile(filepath.Join(dir, File), []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		k := open()
		if _, err := k.Sign(Hop{1, "x", ""}); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "remove it") {
			t.Errorf("with %q in the file: %v, want INVALID with what to do", broken, err)
		}
		if _, err := k.Verify(text); !fault.Is(err, fault.Invalid) {
			t.Errorf("with %q in the file: %v, want INVALID", broken, err)
		}
	}
}

// Keys of one folder that are made at once are one key.
func TestFileKey_AtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const n = 16
	keys, texts := make([]*Key, n), make([]string, n)
	var wg sync.WaitGroup
	for i := range n {
		keys[i] = FileKey(dir, effect.System{})
		wg.Go(func() {
			for texts[i] == "" {
				text, err := keys[i].Sign(Hop{1, strconv.Itoa(i), ""})
				if err != nil && !fault.Is(err, fault.Conflict) {
					t.Error(err)
					return
				}
				texts[i] = text
			}
		})
	}
	wg.Wait()
	for i, text := range texts {
		if h, err := keys[(i+1)%n].Verify(text); err != nil || h.Run != strconv.Itoa(i) {
			t.Errorf("Verify(%q) = %+v, %v", text, h, err)
		}
	}
	for _, k := range keys {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	k := NewKey(effect.System{})
	good, err := k.Sign(Hop{3, "run", ""})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("1..")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := k.Verify(text)
		if err == nil && text != good {
			again, err := k.Sign(h)
			if err != nil || again != text {
				t.Errorf("Verify(%q) = %+v, want it refused", text, h)
			}
		}
	})
}

func BenchmarkSign(b *testing.B) {
	k := NewKey(effect.System{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Sign(Hop{3, "rt-2026-11-23-10-00-00.ABCDEFGHIJKLMNOPQRSTUVWXYZ", ""}); err != nil {
			b.Fatal(err)
		}
	}
}
