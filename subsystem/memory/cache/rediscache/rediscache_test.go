//go:build services

package rediscache

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/redis/redistest"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// rig is a connector under its service, and the database behind its back.
type rig struct {
	testing.TB
	settings value.Value
	store    *store
	service  *cache.Service
	denied   *int
	raw      *redis.Client
}

func newRig(t testing.TB, clock effect.Source) *rig {
	t.Helper()
	return rigOf(t, clock, redistest.Settings(t))
}

// another is a second runtime over the same data.
func (r *rig) another() *rig { return rigOf(r.TB, effect.System{}, r.settings) }

func rigOf(t testing.TB, clock effect.Source, settings value.Value) *rig {
	t.Helper()
	env := connector.Env{Effects: clock, Events: &event.Bus{}, Dial: dial}
	r := &rig{TB: t, settings: settings, denied: new(int), raw: redis.NewClient(&redis.Options{Addr: redistest.Address(t), Protocol: 2})}
	t.Cleanup(event.On(env.Events, func(context.Context, access.Decision) { *r.denied++ }))
	conn, err := Definition().Open(t.Context(), env, settings)
	if err != nil {
		t.Fatal(err)
	}
	r.store = conn.(*store)
	r.service = cache.New(env, connector.Instances[cache.Connector]{Default: "it", ByID: map[string]cache.Connector{"it": r.store}}, nil)
	t.Cleanup(func() {
		if err := r.store.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := r.raw.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return r
}

func (r *rig) as(id string) *cache.Handle {
	r.Helper()
	c, err := access.Agent(id)
	if err != nil {
		r.Fatal(err)
	}
	return r.service.For(c)
}

func (r *rig) set(id, key, text string, ttl time.Duration) {
	r.Helper()
	if err := r.as(id).Set(r.Context(), key, value.Of(text), cache.Options{TTL: ttl}); err != nil {
		r.Fatalf("Set(%q): %v", key, err)
	}
}

// want checks what an agent gets; "" for nothing.
func (r *rig) want(id, key, want string) {
	r.Helper()
	got, ok, err := r.as(id).Get(r.Context(), key)
	if err != nil || ok != (want != "") || got.Plain() != want {
		r.Errorf("Get(%q) = %.60q, %v, %v, want %.60q", key, got.Plain(), ok, err, want)
	}
}

// refused checks that an agent is refused.
func (r *rig) refused(id, key string) {
	r.Helper()
	if got, ok, err := r.as(id).Get(r.Context(), key); ok || !fault.Is(err, fault.Denied) {
		r.Errorf("Get(%q) as %s = %s, %v, want ACCESS_DENIED", key, id, got.JSON(), err)
	}
}

// text and put are behind the back of the connector.
func (r *rig) text(key string) string {
	r.Helper()
	text, err := r.raw.Get(r.Context(), r.store.prefix+key).Result()
	if err != nil {
		r.Fatal(err)
	}
	return text
}

func (r *rig) put(key, text string, ttl time.Duration) {
	r.Helper()
	if err := r.raw.Set(r.Context(), r.store.prefix+key, text, ttl).Err(); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) pttl(key string) time.Duration {
	r.Helper()
	d, err := r.raw.PTTL(r.Context(), r.store.prefix+key).Result()
	if err != nil {
		r.Fatal(err)
	}
	return d
}

// Both keys of an entry live as long as it, and Redis removes them by itself.
func TestLifetimeInRedis(t *testing.T) {
	t.Parallel()
	r := newRig(t, effect.System{})
	h := r.as("a")
	both := func(what string, low, high time.Duration) {
		t.Helper()
		for _, key := range []string{"smyth:cache:k", "smyth:metadata:k"} {
			if got := r.pttl(key); got < low || got > high+time.Second {
				t.Errorf("%s: %s lives for %v, want %v to %v", what, key, got, low, high)
			}
		}
	}
	r.set("a", "k", "x", time.Hour)
	both("set", 59*time.Minute, time.Hour)
	if err := h.UpdateTTL(t.Context(), "k", 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	both("longer", 119*time.Minute, 2*time.Hour)
	if err := h.SetMetadata(t.Context(), "k", value.Obj(value.M("n", value.OfInt(1)))); err != nil {
		t.Fatal(err)
	}
	both("metadata", 119*time.Minute, 2*time.Hour)
	if err := h.SetACL(t.Context(), "k", nil); err != nil {
		t.Fatal(err)
	}
	both("ACL", 119*time.Minute, 2*time.Hour)
	if err := h.UpdateTTL(t.Context(), "k", 0); err != nil {
		t.Fatal(err)
	}
	both("for ever", -1, -1)
	const century = 100 * 365 * 24 * time.Hour
	r.set("a", "k", "y", 2*century)
	both("for two centuries", 2*century-time.Hour, 2*century)
	r.set("a", "k", "y", 1<<63-1)
	r.want("a", "k", "y")
	if err := h.Delete(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	both("deleted", -2, -2)
}

// What the reference left is read with its rights and lifetime, and becomes ours when it is written.
func TestReference(t *testing.T) {
	t.Parallel()
	acl := ownedBy(t, "a").String()
	for name, write := range map[string]func(r *rig) error{
		"set": func(r *rig) error {
			return r.as("a").Set(r.Context(), "k", value.Of("{old}"), cache.Options{TTL: time.Hour})
		},
		"metadata": func(r *rig) error {
			return r.as("a").SetMetadata(r.Context(), "k", value.Obj(value.M("m", value.OfInt(2))))
		},
		"lifetime": func(r *rig) error { return r.as("a").UpdateTTL(r.Context(), "k", 50*time.Minute) },
		"ACL":      func(r *rig) error { return r.as("a").SetACL(r.Context(), "k", nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, effect.System{})
			r.put("smyth:cache:k", "{old}", time.Hour)
			r.put("smyth:metadata:k", `{"n":1,"acl":"`+acl+`"}`, time.Hour)
			r.want("a", "k", "{old}")
			r.refused("b", "k")
			if m, _, err := r.as("a").Metadata(t.Context(), "k"); err != nil || m.JSON() != `{"n":1}` {
				t.Errorf("Metadata = %s, %v", m.JSON(), err)
			}
			if ttl, ok, err := r.as("a").TTL(t.Context(), "k"); err != nil || !ok || ttl < 59*time.Minute || ttl > time.Hour {
				t.Errorf("TTL = %v, %v, %v, want an hour", ttl, ok, err)
			}
			before, err := r.store.Rule(t.Context(), "k")
			if err != nil {
				t.Fatal(err)
			}
			if err := write(r); err != nil {
				t.Fatal(err)
			}
			r.want("a", "k", "{old}")
			r.refused("b", "k")
			if got := r.text("smyth:metadata:k"); !strings.HasPrefix(got, magic) {
				t.Errorf("the label is %q, want one of ours", got)
			}
			after, err := r.store.Rule(t.Context(), "k")
			if err != nil || (after.Generation == before.Generation) != (name != "ACL") {
				t.Errorf("Rule = %+v, %v, before it was %+v", after, err, before)
			}
			if got := r.pttl("smyth:cache:k"); got < 49*time.Minute || got > time.Hour+time.Second {
				t.Errorf("the value lives for %v, want about an hour", got)
			}
			if err := r.as("a").Delete(t.Context(), "k"); err != nil {
				t.Fatal(err)
			}
			r.want("b", "k", "")
		})
	}
	r := newRig(t, effect.System{})
	r.put("smyth:cache:k", "{old}", 0)
	r.put("smyth:metadata:k", `{"acl":"`+acl+`"}`, 0)
	if err := r.as("a").Delete(t.Context(), "k"); err != nil {
		t.Errorf("Delete of one of the reference: %v", err)
	}
	r.want("a", "k", "")
}

// What was changed behind our back is nobody's, or an error that names it; nothing of it gets out, and others go on.
func TestT46_ChangedBehindOurBack(t *testing.T) {
	t.Parallel()
	const val, lab = "smyth:cache:k", "smyth:metadata:k"
	const denied, damaged, gone = "denied", "damaged", "gone"
	for name, c := range map[string]struct {
		change func(r *rig)
		want   string
	}{
		"ACL of another entry": {func(r *rig) { r.put(lab, r.text("smyth:metadata:other"), 0) }, denied},
		"both of another": {func(r *rig) {
			r.put(lab, r.text("smyth:metadata:other"), 0)
			r.put(val, r.text("smyth:cache:other"), 0)
		}, denied},
		"one more right":     {func(r *rig) { r.put(lab, strings.Replace(r.text(lab), "/o", "/rwo", 1), 0) }, denied},
		"one byte of rights": {func(r *rig) { r.put(lab, strings.Replace(r.text(lab), "SRE1", "SRE2", 1), 0) }, denied},
		"no label":           {func(r *rig) { r.raw.Del(r.Context(), r.store.prefix+lab) }, denied},
		"empty label":        {func(r *rig) { r.put(lab, "", 0) }, denied},
		"large label":        {func(r *rig) { r.put(lab, r.text(lab)+strings.Repeat("x", maxLabel), 0) }, denied},
		"label by its type":  {func(r *rig) { r.put(lab, `{"lc":1,"type":"constructor","id":["x"]}`, 0) }, denied},
		"label a list": {func(r *rig) {
			r.raw.Del(r.Context(), r.store.prefix+lab)
			r.raw.LPush(r.Context(), r.store.prefix+lab, "x")
		}, denied},
		"one letter of the value": {func(r *rig) { r.put(val, strings.Replace(r.text(val), "secret", "recret", 1), 0) }, damaged},
		"cut value":               {func(r *rig) { r.put(val, r.text(val)[:3], 0) }, damaged},
		"empty value":             {func(r *rig) { r.put(val, "", 0) }, damaged},
		"value of another":        {func(r *rig) { r.put(val, r.text("smyth:cache:other"), 0) }, damaged},
		"value evicted":           {func(r *rig) { r.raw.Del(r.Context(), r.store.prefix+val) }, gone},
		"value a list": {func(r *rig) {
			r.raw.Del(r.Context(), r.store.prefix+val)
			r.raw.LPush(r.Context(), r.store.prefix+val, "x")
		}, denied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, effect.System{})
			r.set("a", "k", "a secret", 0)
			r.set("b", "other", "of b", 0)
			r.want("a", "k", "a secret") // so that the ruling is remembered
			c.change(r)
			for _, one := range []*rig{r, r.another()} {
				for _, who := range []string{"a", "b", "c"} {
					*one.denied = 0
					got, ok, err := one.as(who).Get(t.Context(), "k")
					if ok || !got.IsAbsent() {
						t.Errorf("Get as %s = %s", who, got.JSON())
					}
					refused := c.want == denied || c.want == damaged && who != "a"
					if refused != fault.Is(err, fault.Denied) || refused != (*one.denied == 1) {
						t.Errorf("Get as %s = %v with %d records, want a refusal: %v", who, err, *one.denied, refused)
					}
					if c.want == damaged && who == "a" && (fault.CodeOf(err) != cache.CodeDamaged || !strings.Contains(err.Error(), `"k"`)) {
						t.Errorf("Get as %s = %v, want %s with the name of the entry", who, err, cache.CodeDamaged)
					}
				}
				one.want("b", "other", "of b")
			}
			err := r.as("a").Set(t.Context(), "k", value.Of("mended"), cache.Options{})
			if (c.want == denied) != fault.Is(err, fault.Denied) || c.want != denied && err != nil {
				t.Errorf("Set by the owner = %v", err)
			}
			if c.want != denied {
				r.want("a", "k", "mended")
			}
		})
	}
}

// What one runtime does to an entry holds in the next call of another one, whatever that remembers.
func TestT23_TwoRuntimes(t *testing.T) {
	t.Parallel()
	one := newRig(t, effect.System{})
	two := one.another()
	reader, err := access.Agent("reader")
	if err != nil {
		t.Fatal(err)
	}
	one.set("a", "k", "first", 0)
	for round := range 5 {
		two.refused("reader", "k")
		if err := one.as("a").SetACL(t.Context(), "k", access.NewACL().With(reader, access.RightRead)); err != nil {
			t.Fatal(err)
		}
		two.want("reader", "k", "first")
		if acl, err := two.as("reader").ACL(t.Context(), "k"); err != nil || acl.Rights(reader)&access.RightRead == 0 {
			t.Errorf("round %d: ACL = %v, %v, want the right to read", round, acl, err)
		}
		if err := one.as("a").SetACL(t.Context(), "k", nil); err != nil {
			t.Fatal(err)
		}
		two.refused("reader", "k")
	}
	two.want("a", "k", "first")
	if err := one.as("a").Delete(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	one.set("b", "k", "of b", 0)
	two.refused("a", "k")
	if err := two.as("a").Set(t.Context(), "k", value.Of("x"), cache.Options{}); !fault.Is(err, fault.Denied) {
		t.Errorf("Set over the entry of another = %v, want ACCESS_DENIED", err)
	}
	two.want("b", "k", "of b")
}

// Of several runtimes that make an entry at once one succeeds, and all see what it made.
func TestT23_OneMaker(t *testing.T) {
	t.Parallel()
	rigs := []*rig{newRig(t, effect.System{})}
	rigs = append(rigs, rigs[0].another(), rigs[0].another())
	for round := range 20 {
		key := fmt.Sprint("k", round)
		errs := make([]error, len(rigs))
		var all sync.WaitGroup
		for i, r := range rigs {
			h, text := r.as(fmt.Sprint("agent-", i)), fmt.Sprint("by ", i)
			all.Go(func() { errs[i] = h.Set(context.Background(), key, value.Of(text), cache.Options{}) })
		}
		all.Wait()
		winner := -1
		for i, err := range errs {
			switch {
			case err == nil && winner >= 0:
				t.Errorf("%s: both %d and %d made it", key, winner, i)
			case err == nil:
				winner = i
			case !fault.Is(err, fault.Denied):
				t.Errorf("%s: Set by %d = %v, want ACCESS_DENIED", key, i, err)
			}
		}
		if winner < 0 {
			t.Fatalf("%s: nobody could make it: %v", key, errs)
		}
		for _, r := range rigs {
			r.want(fmt.Sprint("agent-", winner), key, fmt.Sprint("by ", winner))
		}
	}
}

// Many members set at once all stay: none is lost to another.
func TestMetadataAtOnce(t *testing.T) {
	t.Parallel()
	one := newRig(t, effect.System{})
	one.set("a", "k", "x", 0)
	var all sync.WaitGroup
	for i, r := range []*rig{one, one.another()} {
		h := r.as("a")
		all.Go(func() {
			for n := range 20 {
				if err := h.SetMetadata(context.Background(), "k", value.Obj(value.M(fmt.Sprint("m", i, "-", n), value.OfInt(n)))); err != nil {
					t.Errorf("SetMetadata: %v", err)
				}
			}
		})
	}
	all.Wait()
	if m, _, err := one.as("a").Metadata(t.Context(), "k"); err != nil || m.Len() != 40 {
		t.Errorf("Metadata has %d members, %v, want 40", m.Len(), err)
	}
}

// Values of the NKV service lie under keys of the cache, but are not the cache's: nobody reads or replaces them here.
func TestT16_ValuesOfTeams(t *testing.T) {
	t.Parallel()
	r := newRig(t, effect.System{})
	r.put("smyth:cache:team_t:ns:k", "SREN1 something", 0)
	r.refused("a", "team_t:ns:k")
	if err := r.as("a").Set(t.Context(), "team_t:ns:k", value.Of("x"), cache.Options{}); !fault.Is(err, fault.Denied) {
		t.Errorf("Set = %v, want ACCESS_DENIED", err)
	}
	if err := r.as("a").Delete(t.Context(), "team_t:ns:k"); !fault.Is(err, fault.Denied) {
		t.Errorf("Delete = %v, want ACCESS_DENIED", err)
	}
	if got := r.text("smyth:cache:team_t:ns:k"); got != "SREN1 something" {
		t.Errorf("the value is now %q", got)
	}
}
