package disk

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
)

func TestList(t *testing.T) {
	t.Parallel()
	f, _ := open(t)
	for _, name := range []string{"b/x", "a-b", "a", "c/d/e", "c/d.txt", "c/d-e/f", "b/xyz", "bb"} {
		write(t, f, name, "1")
	}
	cases := []struct {
		name, prefix, after string
		limit               int
		want, next          string
	}{
		{"everything", "", "", 99, "a a-b b/x b/xyz bb c/d/e c/d-e/f c/d.txt", ""},
		{"a page", "", "", 3, "a a-b b/x", "b/x"},
		{"the next page", "", "b/x", 3, "b/xyz bb c/d/e", "c/d/e"},
		{"the last page", "", "c/d/e", 3, "c/d-e/f c/d.txt", ""},
		{"an exact page", "", "", 8, "a a-b b/x b/xyz bb c/d/e c/d-e/f c/d.txt", ""},
		{"a folder", "b/", "", 9, "b/x b/xyz", ""},
		{"part of a segment", "b", "", 9, "b/x b/xyz bb", ""},
		{"part of a deeper segment", "c/d", "", 9, "c/d/e c/d-e/f c/d.txt", ""},
		{"after a name that is gone", "", "b/xx", 2, "b/xyz bb", "bb"},
		{"nothing", "zz", "", 9, "", ""},
		{"no such folder", "zz/y", "", 9, "", ""},
	}
	for _, c := range cases {
		got, next, err := f.List(c.prefix, c.after, c.limit)
		if err != nil || strings.Join(got, " ") != c.want || next != c.next {
			t.Errorf("%s: List(%q, %q, %d) = %q, %q, %v, want %q, %q", c.name, c.prefix, c.after, c.limit, got, next, err, c.want, c.next)
		}
	}
	if _, _, err := f.List("", "", 0); !fault.Is(err, fault.Invalid) {
		t.Errorf("List of an empty page = %v, want INVALID", err)
	}
}

// Pages of any size give the names of one walk, each once, in the order of Compare.
func TestListPages(t *testing.T) {
	t.Parallel()
	f, _ := open(t)
	rng := rand.New(rand.NewPCG(1, 2))
	want := map[string]bool{}
	for range 150 {
		var parts []string
		for range 1 + rng.IntN(3) {
			parts = append(parts, string("ab-.~é"[rng.IntN(4)])+string("xyz"[rng.IntN(3)]))
		}
		name := strings.Join(parts, "/")
		if err := f.WriteAtomic(name, nil); err == nil {
			want[name] = true
		} else if !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Invalid) {
			t.Fatalf("WriteAtomic(%q): %v", name, err)
		}
	}
	sorted := make([]string, 0, len(want))
	for name := range want {
		sorted = append(sorted, name)
	}
	slices.SortFunc(sorted, Compare)
	for _, limit := range []int{1, 2, 7, 1000} {
		var got []string
		for after := ""; ; {
			names, next, err := f.List("", after, limit)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, names...)
			if after = next; next == "" {
				break
			}
		}
		if !slices.Equal(got, sorted) {
			t.Errorf("pages of %d give %q, want %q", limit, got, sorted)
		}
	}
}

func FuzzCompare(f *testing.F) {
	f.Add("a/b", "a-b")
	f.Add("a", "a/b")
	f.Fuzz(func(t *testing.T, a, b string) {
		want := slices.Compare(strings.Split(a, "/"), strings.Split(b, "/"))
		if a == "" || b == "" || strings.ContainsRune(a+b, 0) {
			want = Compare(a, b) // names are neither empty nor do they hold NUL
		}
		got := Compare(a, b)
		if sign(got) != sign(want) {
			t.Errorf("Compare(%q, %q) = %d, want %d", a, b, got, want)
		}
		if back := Compare(b, a); sign(back) != -sign(got) {
			t.Errorf("Compare(%q, %q) = %d, want the opposite of %d", b, a, back, got)
		}
	})
}

func sign(n int) int { return max(-1, min(1, n)) }
