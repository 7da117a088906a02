package secret

import (
	"strconv"
	"sync"
	"testing"
)

func TestRegistry_ByTeam(t *testing.T) {
	t.Parallel()
	var r Registry
	r.Note("a", New("secret of a"))
	r.Note("", New("of the operator"))
	r.Note("a", New("tiny"))
	const text = "secret of a, of the operator, tiny, c2VjcmV0IG9mIGE=, secret+of+a"
	tests := []struct{ team, want string }{
		{"a", Redacted + ", " + Redacted + ", tiny, " + Redacted + ", " + Redacted},
		{"b", "secret of a, " + Redacted + ", tiny, c2VjcmV0IG9mIGE=, secret+of+a"},
	}
	for _, tt := range tests {
		if got := r.For(tt.team).Text(text); got != tt.want {
			t.Errorf("Text for team %s = %q, want %q", tt.team, got, tt.want)
		}
	}
	if got := (*Registry)(nil).For("a").Text(text); got != text {
		t.Errorf("without a registry = %q, want the text", got)
	}
}

func TestRegistry_Empty(t *testing.T) {
	t.Parallel()
	var r Registry
	if !r.Empty() || r.For("a") != nil || r.All() != nil || !(*Registry)(nil).Empty() || (*Registry)(nil).All() != nil {
		t.Error("a registry without secrets has a redactor")
	}
	(*Registry)(nil).Note("a", New("a secret"))
	for _, short := range []string{"", "tiny", "  five5  "} {
		r.Note("a", New(short))
	}
	if !r.Empty() {
		t.Error("secrets that are too short were noted")
	}
	r.Note("a", New("a secret"))
	if r.Empty() || r.For("b") != nil || len(r.All()) != 1 {
		t.Errorf("after one secret of a: empty %v, for b %v, all %d", r.Empty(), r.For("b"), len(r.All()))
	}
	r.Note("", New("of all teams"))
	if got := r.For("b").Text("a secret, of all teams"); got != "a secret, "+Redacted || len(r.All()) != 2 {
		t.Errorf("with one of the operator: %q, %d redactors", got, len(r.All()))
	}
}

// The redactor is built once for each change, and asking for it costs nothing.
func TestRegistry_BuildsOnce(t *testing.T) {
	var r Registry
	r.Note("a", New("secret of a"))
	first := r.For("a")
	r.Note("a", New("secret of a"))
	r.Note("b", New("secret of b"))
	if r.For("a") != first {
		t.Error("a secret that is known, or of another team, made another redactor")
	}
	if n := testing.AllocsPerRun(100, func() { r.For("a"); r.Note("a", New("secret of a")) }); n > 2 {
		t.Errorf("%v allocations, want those of the secret alone", n)
	}
	r.Note("", New("of the operator"))
	if got := r.For("a").Text("secret of a of the operator"); got != Redacted+" "+Redacted {
		t.Errorf("after a change = %q", got)
	}
}

func TestRegistry_ForgetsTheOldest(t *testing.T) {
	t.Parallel()
	var r Registry
	for i := range MaxPerTeam + 1 {
		r.Note("a", New("token-"+strconv.Itoa(1000+i)))
	}
	if got := r.For("a").Text("token-1000 token-1001 token-1500"); got != "token-1000 "+Redacted+" "+Redacted {
		t.Errorf("Text = %q, want the first one forgotten", got)
	}
	r.Note("a", New("token-1000"))
	if got := r.For("a").Text("token-1000 token-1001"); got != Redacted+" token-1001" {
		t.Errorf("Text = %q, want the first one back", got)
	}
}

func TestRegistry_Concurrent(t *testing.T) {
	t.Parallel()
	var r Registry
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			team := strconv.Itoa(w % 3)
			for i := range 20 {
				s := "secret-" + strconv.Itoa(w) + "-" + strconv.Itoa(i) + "-end"
				r.Note(team, New(s))
				r.Note("", New("operator-"+s))
				if got := r.For(team).Text(s + " operator-" + s); got != Redacted+" "+Redacted {
					t.Errorf("right after Note: %q", got)
				}
				r.All()
			}
		})
	}
	wg.Wait()
}
