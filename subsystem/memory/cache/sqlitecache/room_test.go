package sqlitecache

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

func maxBytes(n int) value.Member { return value.M("maxBytes", value.OfInt(n)) }

// Who holds most makes room, with what was written longest ago; the entries of others stay.
func TestBudgetIsFair(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), effect.System{}, maxBytes(100_000))
	text := strings.Repeat("x", 1000)
	for i := range 5 {
		r.set("small", fmt.Sprint("small-", i), text, 0)
	}
	for i := range 300 {
		r.set("busy", fmt.Sprint("busy-", i), text, 0)
		if used := r.number(selectUsed); used > 100_000 {
			t.Fatalf("used = %d bytes, want at most 100000", used)
		}
	}
	for i := range 5 {
		r.want("small", fmt.Sprint("small-", i), text)
	}
	r.want("busy", "busy-0", "")
	r.want("busy", "busy-299", text)
}

// What has expired makes room before anything else does.
func TestExpiredGoFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), effect.System{}, maxBytes(20_000))
		text := strings.Repeat("x", 5000)
		r.set("a", "old", text, 0)
		r.set("a", "brief", text, time.Second)
		r.set("a", "older", text, 0)
		if err := (effect.System{}).Sleep(t.Context(), time.Second); err != nil {
			t.Fatal(err)
		}
		r.set("a", "new", text, 0)
		for _, key := range []string{"old", "older", "new"} {
			r.want("a", key, text)
		}
	})
}

// One entry may take nearly everything, and then takes it from others; more than everything is refused and leaves what was there.
func TestLargeEntry(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), effect.System{}, maxBytes(10_000))
	for _, id := range []string{"a", "b", "c"} {
		r.set(id, id, strings.Repeat("x", 1000), 0)
	}
	large := strings.Repeat("x", 9_500)
	r.set("d", "d", large, 0)
	r.want("d", "d", large)
	r.want("a", "a", "")
	err := r.as("d").Set(t.Context(), "d", value.Of(strings.Repeat("x", 10_000)), cache.Options{})
	if want := "LIMIT_EXCEEDED(" + LimitBytes + ")"; fault.CodeOf(err) != want {
		t.Errorf("Set of more than the budget = %v, want %s", err, want)
	}
	r.want("d", "d", large)
}

// A value that could not be read back is not stored.
func TestDeepValue(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), effect.System{})
	r.set("a", "k", "old", 0)
	v := value.Of("x")
	for range cache.StoredLimits().Depth + 1 {
		v = value.List(v)
	}
	if err := r.as("a").Set(t.Context(), "k", v, cache.Options{}); fault.CodeOf(err) != "LIMIT_EXCEEDED(json_depth)" {
		t.Errorf("Set = %v, want LIMIT_EXCEEDED(json_depth)", err)
	}
	r.want("a", "k", "old")
	if err := r.as("a").Set(t.Context(), "k", v.At(0), cache.Options{}); err != nil {
		t.Errorf("Set of the deepest value: %v", err)
	}
	if got, _, err := r.as("a").Get(t.Context(), "k"); err != nil || !value.Equal(got, v.At(0)) {
		t.Errorf("Get of the deepest value: %v", err)
	}
}

// Whatever is done, the books agree with the rows.
func TestAccounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), effect.System{}, maxBytes(20_000))
		rng := rand.New(rand.NewPCG(1, 2))
		for i := range 1500 {
			h, key := r.as(fmt.Sprint("agent-", rng.IntN(4))), fmt.Sprint("key-", rng.IntN(40))
			var err error
			switch rng.IntN(8) {
			case 0, 1, 2:
				err = h.Set(t.Context(), key, value.Of(strings.Repeat("x", rng.IntN(2000))), cache.Options{TTL: time.Duration(rng.IntN(3)) * time.Second})
			case 3:
				_, _, err = h.Get(t.Context(), key)
			case 4:
				err = h.Delete(t.Context(), key)
			case 5:
				err = h.SetMetadata(t.Context(), key, value.Obj(value.M("k", value.Of(strings.Repeat("y", rng.IntN(500))))))
			case 6:
				err = h.SetACL(t.Context(), key, access.NewACL().With(r.as("agent-0").Candidate(), access.RightRead))
			case 7:
				err = (effect.System{}).Sleep(t.Context(), time.Duration(rng.IntN(400))*time.Millisecond)
			}
			if err != nil && !fault.Is(err, fault.Denied) && !fault.Is(err, fault.NotFound) {
				t.Fatal(err)
			}
			if i%20 == 0 {
				r.checkAccounts(20_000)
			}
		}
		r.checkAccounts(20_000)
	})
}

// checkAccounts compares what the triggers counted with the rows.
func (r *rig) checkAccounts(budget int64) {
	r.Helper()
	const sizes = "SELECT coalesce(sum(?1 + 2 * octet_length(key) + octet_length(acl) + octet_length(metadata) + octet_length(value)), 0) FROM entry"
	const wrong = `SELECT count(*) FROM (SELECT maker, sum(size) AS bytes FROM entry GROUP BY maker) AS e
		FULL JOIN (SELECT maker, bytes FROM holder WHERE maker <> '') AS h USING (maker) WHERE e.bytes IS NOT h.bytes`
	used := r.number(sizes, rowBytes)
	if got := r.number("SELECT coalesce(sum(bytes), 0) FROM holder WHERE maker = ''"); got != used || used > budget {
		r.Fatalf("the books say %d bytes, want %d and at most %d", got, used, budget)
	}
	if n := r.number(wrong); n != 0 {
		r.Fatalf("the books of %d makers are wrong", n)
	}
}
