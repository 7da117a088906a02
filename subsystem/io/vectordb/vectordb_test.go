package vectordb

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

func TestCosine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		a, b []float32
		want float64
	}{
		{"the same", []float32{1, 2, 3}, []float32{1, 2, 3}, 1},
		{"the same direction", []float32{1, 2, 3}, []float32{2, 4, 6}, 1},
		{"opposite", []float32{1, 2}, []float32{-1, -2}, -1},
		{"right angles", []float32{1, 0}, []float32{0, 5}, 0},
		{"half", []float32{1, 0}, []float32{1, 1}, math.Sqrt(0.5)},
		{"no length", []float32{0, 0}, []float32{1, 1}, 0},
		{"nothing", nil, nil, 0},
		{"other lengths", []float32{1}, []float32{1, 1}, 0},
	} {
		got := Cosine(test.a, test.b)
		if math.Abs(got-test.want) > 1e-12 || got != Cosine(test.b, test.a) {
			t.Errorf("%s: Cosine = %v and %v, want %v", test.name, got, Cosine(test.b, test.a), test.want)
		}
	}
}

// Whatever comes in whatever order, the best are kept as sorting all of them would put them.
func TestNearest(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		q := Query{TopK: 1 + random.IntN(8), Least: float64(random.IntN(3)) / 4}
		best, all := NewNearest[int](q), []Scored[int]{}
		for i := range random.IntN(40) {
			score := float64(random.IntN(9)-2) / 6
			if random.IntN(10) == 0 {
				score = math.NaN()
			}
			best.Add(score, i)
			if score >= q.Least {
				all = append(all, Scored[int]{score, i})
			}
		}
		slices.SortStableFunc(all, func(a, b Scored[int]) int { return cmp.Compare(b.Score, a.Score) })
		if want := all[:min(len(all), q.TopK)]; !slices.Equal(best.Found(), want) {
			t.Fatalf("%+v keeps %v, want %v", q, best.Found(), want)
		}
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	c, err := access.Agent("a1")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "n", "a/b", "agent:b1", "a b"} {
		at := Address{Owner: c, Namespace: name}
		g, err := access.Authorize[access.Read](t.Context(), nil, "test", c, at.String(), access.OwnedBy(c))
		if err != nil {
			t.Fatal(err)
		}
		if got := At(g); got != at {
			t.Errorf("At = %+v, want %+v", got, at)
		}
	}
}

// FuzzNames checks that no two namespaces that are not the same are written alike, and that what passes is bounded.
func FuzzNames(f *testing.F) {
	f.Add("My Notes", "my_notes", "id-1")
	f.Add("a/b", "a", "x:y")
	f.Add("\x00", "\xff", "")
	f.Fuzz(func(t *testing.T, a, b, id string) {
		if validName(a) == nil {
			n := Normal(a)
			if Normal(n) != n || validName(n) != nil || len(n) > maxName || n == "" || strings.ContainsAny(n, "\x00\n\t ") {
				t.Fatalf("%q is kept as %q", a, n)
			}
			if validName(b) == nil && Normal(b) != n {
				owner, err := access.Agent("x")
				if err != nil {
					t.Fatal(err)
				}
				if (Address{owner, n}).String() == (Address{owner, Normal(b)}).String() {
					t.Fatalf("%q and %q meet", a, b)
				}
			}
		}
		if ValidID(id) == nil && (len(id) == 0 || len(id) > maxID || strings.ContainsAny(id, "\n/ \x00")) {
			t.Fatalf("the id %q passes", id)
		}
	})
}

// Without a connector every operation says what to configure, and nothing panics.
func TestNoConnector(t *testing.T) {
	t.Parallel()
	c, err := access.Agent("a1")
	if err != nil {
		t.Fatal(err)
	}
	var none *Service
	for _, h := range []*Handle{none.For(c), New(connector.Env{}, connector.Instances[Connector]{}, nil, nil).For(c).OfTeam()} {
		_, insert := h.Insert(t.Context(), "n", Document{Text: "x"})
		_, search := h.Search(t.Context(), "n", "x", SearchOptions{})
		for _, err := range []error{h.CreateNamespace(t.Context(), "n", value.Value{}), insert, search, h.Delete(t.Context(), "n", "x")} {
			if !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "configure a connector for VectorDB") {
				t.Errorf("without a connector: %v", err)
			}
		}
	}
	if _, err := none.On("x"); !fault.Is(err, fault.NotFound) {
		t.Errorf("On = %v", err)
	}
}
