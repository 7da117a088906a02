package secret

import (
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// chunked writes a text in pieces and returns what was passed on.
func chunked(tb testing.TB, r *Redactor, text string, size func() int) string {
	tb.Helper()
	var b strings.Builder
	w := r.Writer(&b)
	for rest := text; rest != ""; {
		n := min(size(), len(rest))
		if got, err := w.Write([]byte(rest[:n])); got != n || err != nil {
			tb.Fatalf("Write of %d bytes = %d, %v", n, got, err)
		}
		if rest = rest[n:]; n == 0 {
			rest, n = rest[1:], 1
			if _, err := w.Write([]byte(text[len(text)-len(rest)-1:][:1])); err != nil {
				tb.Fatal(err)
			}
		}
	}
	for range 2 {
		if err := w.Close(); err != nil {
			tb.Fatal(err)
		}
	}
	return b.String()
}

// TestT29_CutAnywhere: a secret that is cut at any place is taken out as if it came in one piece.
func TestT29_CutAnywhere(t *testing.T) {
	t.Parallel()
	r := NewRedactor(New("canary-0123456789"), New("6789-and-more"), New("aaaaaaa"))
	for _, text := range []string{
		"before canary-0123456789 after", "canary-0123456789", "canary-012345678", "canary-canary-0123456789-and-more.", "Y2FuYXJ5LTAxMjM0NTY3ODk=",
		strings.Repeat("a", 40), "canary-0123456789-and-mor", "aaaaaa", "",
	} {
		want := r.Text(text)
		for cut := range len(text) {
			var b strings.Builder
			w := r.Writer(&b)
			for _, piece := range []string{text[:cut], text[cut:]} {
				if _, err := io.WriteString(w, piece); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil || b.String() != want {
				t.Errorf("%q cut at %d = %q, %v, want %q", text, cut, b.String(), err, want)
			}
		}
		for size := 1; size < 7; size++ {
			if got := chunked(t, r, text, func() int { return size }); got != want {
				t.Errorf("%q in pieces of %d = %q, want %q", text, size, got, want)
			}
		}
	}
}

// What is held back is bounded by the longest form, also where secrets overlap without end.
func TestWriter_HoldsLittle(t *testing.T) {
	t.Parallel()
	r := NewRedactor(New(strings.Repeat("a", 20)))
	var b strings.Builder
	w := r.Writer(&b)
	for range 10_000 {
		if _, err := io.WriteString(w, "aaa"); err != nil {
			t.Fatal(err)
		}
		if len(w.held) > 100 || len(w.found.spans) > 10 {
			t.Fatalf("%d bytes and %d spans are held back", len(w.held), len(w.found.spans))
		}
	}
	if err := w.Close(); err != nil || b.String() != Redacted {
		t.Errorf("one secret after the other = %.60q, %v, want one mark", b.String(), err)
	}
}

func TestWriter_NothingToTakeOut(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	w := (*Redactor)(nil).Writer(&b)
	if n, err := io.WriteString(w, "canary"); n != 6 || err != nil || b.String() != "canary" {
		t.Errorf("Write = %d, %v and passed %q on", n, err, b.String())
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if _, err := io.WriteString(w, "late"); err == nil {
		t.Error("Write after Close is no error")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestWriter_BrokenBelow(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*Redactor{"none": nil, "some": NewRedactor(New("canary-0123"))} {
		w := r.Writer(broken{})
		for range 2 {
			if _, err := io.WriteString(w, "something else"); !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("%s: Write = %v, want the error below", name, err)
			}
		}
		if err := w.Close(); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: Close = %v, want the error below", name, err)
		}
	}
}

func FuzzRedactor(f *testing.F) {
	f.Add("canary-0123456789", "secret/of+a", "x canary-0123456789 c2VjcmV0L29mK2E= secret%2Fof%2ba", uint64(1))
	f.Add("aaaaaaa", "aaaaaaaab", "aaaaaaaaaaaaaaaaaaaab", uint64(2))
	f.Add("\xff\xfe\x00\"\\\n", "ä\u2028<>&", "\\u00e4\\u2028", uint64(3))
	f.Fuzz(func(t *testing.T, a, b, text string, seed uint64) {
		if len(a)+len(b) > 200 || len(text) > 2000 {
			return
		}
		var secrets []string
		for _, s := range []string{strings.TrimSpace(a), strings.TrimSpace(b)} {
			if len(s) >= MinLength {
				secrets = append(secrets, s)
			}
		}
		r := redactorOf(secrets)
		want := naive(secrets, text)
		if got := r.Text(text); got != want {
			t.Fatalf("%q of %q = %q, want %q", secrets, text, got, want)
		}
		random := rand.New(rand.NewPCG(seed, 0))
		if got := chunked(t, r, text, func() int { return random.IntN(8) }); got != want {
			t.Fatalf("%q of %q in pieces = %q, want %q", secrets, text, got, want)
		}
	})
}

func BenchmarkWriter(b *testing.B) {
	text, r := []byte(answers()), sample(100)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		w := r.Writer(io.Discard)
		for rest := text; len(rest) > 0; rest = rest[min(4096, len(rest)):] {
			if _, err := w.Write(rest[:min(4096, len(rest))]); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
