package chunk

import (
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

func TestSplit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text    string
		size, overlap int
		want          []string
	}{
		{"nothing", "", 10, 2, nil},
		{"blanks only", " \n\n ", 10, 2, nil},
		{"short", "short", 100, 10, []string{"short"}},
		{"words", "w0 w1 w2 w3 w4 w5 w6 w7", 12, 5, []string{"w0 w1 w2 w3", "w3 w4 w5 w6", "w6 w7"}},
		{"no overlap", "w0 w1 w2 w3 w4 w5 w6 w7", 12, 0, []string{"w0 w1 w2 w3", "w4 w5 w6 w7"}},
		{"paragraphs", "para one line.\n\npara two line that is longer.\nnext line\n\nlast", 20, 4, []string{"para one line.", "para two line that", "is longer.", "next line", "last"}},
		{"one long word", strings.Repeat("x", 25), 10, 0, []string{"xxxxxxxxxx", "xxxxxxxxxx", "xxxxx"}},
	}
	for _, tt := range tests {
		got, err := Splitter{tt.size, tt.overlap}.Split(tt.text)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: Split = %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestSplit_Refuses(t *testing.T) {
	t.Parallel()
	for _, s := range []Splitter{{0, 0}, {10, 10}, {10, 11}, {10, -1}} {
		if got, err := s.Split("text"); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: Split = %q, %v, want Invalid", s, got, err)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("para one.\n\npara two\nline  x", 7, 3)
	f.Add("ünï ✓ 😀 mixed", 2, 1)
	f.Fuzz(func(t *testing.T, text string, size, overlap int) {
		size, overlap = size%1000, overlap%1000
		pieces, err := Splitter{size, overlap}.Split(text)
		if err != nil {
			return
		}
		for _, p := range pieces {
			if length(p) > size && utf8.RuneCountInString(p) > 1 {
				t.Errorf("the piece %q is longer than %d", p, size)
			}
			if p == "" || p != strings.TrimSpace(p) {
				t.Errorf("the piece %q is empty or has blanks around it", p)
			}
			if utf8.ValidString(text) && !strings.Contains(text, p) {
				t.Errorf("the piece %q is not in the text", p)
			}
		}
	})
}
