package access

import (
	"context"
	"testing"
)

func TestActing(t *testing.T) {
	t.Parallel()
	a := Acting{Candidate: Public(), Team: "t", Run: "r"}
	if got := ActingOf(WithActing(t.Context(), a)); got != a {
		t.Errorf("ActingOf = %v, want %v", got, a)
	}
	if got := ActingOf(t.Context()); got != (Acting{}) {
		t.Errorf("ActingOf of a bare context = %v, want nobody", got)
	}
	var seen Decision
	g := &Guard{Audit: func(_ context.Context, d Decision) { seen = d }}
	if err := g.Deny(WithActing(t.Context(), a), "op", Public(), "thing", ByDefault); err == nil || seen.Run != "r" {
		t.Errorf("a denial in run r was told with run %q (%v)", seen.Run, err)
	}
}
