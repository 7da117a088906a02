package sqlitecache

import (
	"testing"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// grant makes a grant for the connector itself.
func grant[L access.Level](r *rig, key string) access.Grant[L] {
	r.Helper()
	c := r.as("a").Candidate()
	g, err := access.Authorize[L](r.Context(), nil, "cache.test", c, key, access.OwnedBy(c))
	if err != nil {
		r.Fatal(err)
	}
	return g
}

// An entry whose time passes between the decision and the act is not acted on.
func TestExpiresAfterTheDecision(t *testing.T) {
	t.Parallel()
	clock := &jumpy{now: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)}
	r := newRig(t, t.TempDir(), clock)
	r.set("a", "k", "x", time.Minute)
	ruling, err := r.store.Rule(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	clock.jump(time.Minute)
	ctx, later := t.Context(), clock.Now().Add(time.Hour)
	got, err := r.store.Get(ctx, grant[access.Read](r, "k"), ruling.Generation)
	if !got.Value.IsAbsent() {
		t.Errorf("Get = %s, want nothing", got.Value.JSON())
	}
	record := cache.Record{ACL: ruling.ACL, Entry: cache.Entry{Value: value.Of("y")}}
	for op, err := range map[string]error{
		"Get":    err,
		"Set":    r.store.Set(ctx, grant[access.Write](r, "k"), ruling.Generation, record),
		"Amend":  r.store.Amend(ctx, grant[access.Write](r, "k"), ruling.Generation, cache.Change{Expires: &later}),
		"SetACL": r.store.SetACL(ctx, grant[access.Owner](r, "k"), ruling.Generation, ruling.ACL),
		"Delete": r.store.Delete(ctx, grant[access.Write](r, "k"), ruling.Generation),
	} {
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("%s = %v, want CONFLICT", op, err)
		}
	}
	r.want("a", "k", "")
}
