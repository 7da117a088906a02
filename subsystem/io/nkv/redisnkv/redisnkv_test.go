//go:build services

package redisnkv

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/redis/redistest"
	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/value"
)

// ownTeam puts everybody into a team of their own name.
type ownTeam struct{}

func (ownTeam) TeamOf(_ context.Context, c access.Candidate) (string, error) { return c.ID(), nil }

// rig is a connector under its service, and the database behind its back.
type rig struct {
	testing.TB
	store   *store
	service *nkv.Service
	raw     *redis.Client
}

func newRig(t testing.TB) *rig {
	t.Helper()
	return rigAt(t, redistest.Address(t), redistest.Settings(t))
}

func rigAt(t testing.TB, address string, settings value.Value) *rig {
	t.Helper()
	env := connector.Env{Effects: effect.System{}, Events: &event.Bus{}, Dial: dial}
	conn, err := Definition().Open(t.Context(), env, settings)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{TB: t, store: conn.(*store), raw: redis.NewClient(&redis.Options{Addr: address, Protocol: 2})}
	r.service = nkv.New(env, connector.Instances[nkv.Connector]{Default: "it", ByID: map[string]nkv.Connector{"it": r.store}}, ownTeam{})
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

func (r *rig) as(team string) *nkv.Handle {
	r.Helper()
	c, err := access.Team(team)
	if err != nil {
		r.Fatal(err)
	}
	return r.service.For(c)
}

func (r *rig) set(team, namespace, key, text string) {
	r.Helper()
	if err := r.as(team).Set(r.Context(), namespace, key, value.Of(text)); err != nil {
		r.Fatalf("Set(%q): %v", key, err)
	}
}

// want checks what a team gets; "" for nothing.
func (r *rig) want(team, namespace, key, want string) {
	r.Helper()
	got, ok, err := r.as(team).Get(r.Context(), namespace, key)
	if err != nil || ok != (want != "") || got.Plain() != want {
		r.Errorf("Get(%q, %q) = %.60q, %v, %v, want %.60q", namespace, key, got.Plain(), ok, err, want)
	}
}

// keys lists a namespace, page by page.
func (r *rig) keys(team, namespace string, limit int) []string {
	r.Helper()
	var keys []string
	for p := (nkv.Page{Limit: limit}); ; {
		l, err := r.as(team).List(r.Context(), namespace, p)
		if err != nil {
			r.Fatalf("List: %v", err)
		}
		for _, item := range l.Items {
			keys = append(keys, item.Key)
		}
		if p.After = l.Next; l.Next == "" {
			return keys
		}
	}
}

// put writes behind the back of the connector.
func (r *rig) put(key, text string) {
	r.Helper()
	if err := r.raw.Set(r.Context(), r.store.prefix+key, text, 0).Err(); err != nil {
		r.Fatal(err)
	}
}

// exists reports which of the keys are there.
func (r *rig) exists(keys ...string) (there []string) {
	r.Helper()
	for _, key := range keys {
		n, err := r.raw.Exists(r.Context(), r.store.prefix+key).Result()
		if err != nil {
			r.Fatal(err)
		}
		if n == 1 {
			there = append(there, key)
		}
	}
	return there
}

// What the reference left is read, listed, replaced and removed.
func TestReference(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, key := range []string{"one", "two", "three"} {
		r.put("smyth:cache:team_t:docs:"+key, "text of "+key)
		r.put("smyth:metadata:team_t:docs:"+key, besideOf(t, "t"))
	}
	r.want("t", "docs", "one", "text of one")
	r.want("u", "docs", "one", "")
	if got, want := r.keys("t", "docs", 1), []string{"one", "three", "two"}; !slices.Equal(got, want) {
		t.Errorf("keys = %q, want %q", got, want)
	}
	r.set("t", "docs", "one", "new")
	r.want("t", "docs", "one", "new")
	if got := r.text("smyth:metadata:team_t:docs:one"); got != "" {
		t.Errorf("after Set the rights beside it are %q", got)
	}
	if err := r.as("t").Delete(t.Context(), "docs", "two"); err != nil {
		t.Errorf("Delete: %v", err)
	}
	if got := r.exists("smyth:cache:team_t:docs:two", "smyth:metadata:team_t:docs:two"); got != nil {
		t.Errorf("after Delete there is %q", got)
	}
	if err := r.as("t").DeleteAll(t.Context(), "docs"); err != nil {
		t.Errorf("DeleteAll: %v", err)
	}
	if got := r.exists("smyth:cache:team_t:docs:three", "smyth:metadata:team_t:docs:three", "smyth:cache:team_t:docs:one", "smyth:metadata:team_t:docs:one"); got != nil {
		t.Errorf("after DeleteAll there is %q", got)
	}
}

// Namespaces whose names begin alike, or hold what patterns mean, are not each other's.
func TestT16_NamespacesThatBeginAlike(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	spaces := []string{"a", "ab", "a:b", "a*", "a?", "[ab]", `a\`, "a%3Ab", "*"}
	for _, ns := range spaces {
		for _, key := range []string{"k", "b:k", "*"} {
			r.set("t", ns, key, "in "+ns+" at "+key)
		}
	}
	r.set("ta", "a", "k", "of another team")
	for i, ns := range spaces {
		if got, want := r.keys("t", ns, 1), []string{"*", "b:k", "k"}; !slices.Equal(got, want) {
			t.Errorf("keys of %q = %q, want %q", ns, got, want)
		}
		if err := r.as("t").DeleteAll(t.Context(), ns); err != nil {
			t.Errorf("DeleteAll: %v", err)
		}
		if got := r.keys("t", ns, 0); got != nil {
			t.Errorf("keys of %q after DeleteAll = %q", ns, got)
		}
		for _, other := range spaces[i+1:] {
			r.want("t", other, "b:k", "in "+other+" at b:k")
		}
	}
	r.want("ta", "a", "k", "of another team")
}

// A listing of more keys than it has in memory at once is whole and in order.
func TestT16_LongListing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const many = 5*pageKeys + 7
	pipe := r.raw.Pipeline()
	want := make([]string, many)
	for i := range want {
		want[i] = fmt.Sprintf("k%06d", i)
		at := nkv.Address{Team: "t", Namespace: "ns", Key: want[i]}
		record, err := encode(at, value.OfInt(i))
		if err != nil {
			t.Fatal(err)
		}
		pipe.Set(t.Context(), r.store.keysOf(at)[0], record, 0)
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.keys("t", "ns", nkv.MaxPage); !slices.Equal(got, want) {
		t.Errorf("%d keys are listed, want %d in order", len(got), many)
	}
	at := nkv.Address{Team: "t", Namespace: "ns"}
	n := 0
	for item, err := range r.store.List(t.Context(), grantOn(r, at), "") {
		if err != nil || item.Key != want[n] {
			t.Fatalf("item %d is %q, %v, want %q", n, item.Key, err, want[n])
		}
		n++
	}
	if n != many {
		t.Errorf("List gives %d items, want %d", n, many)
	}
	if err := r.as("t").DeleteAll(t.Context(), "ns"); err != nil {
		t.Fatal(err)
	}
	if got := r.keys("t", "ns", 0); got != nil {
		t.Errorf("%d keys are left", len(got))
	}
}

func grantOn(r *rig, at nkv.Address) access.Grant[access.Read] {
	r.Helper()
	team := r.as(at.Team).Candidate()
	g, err := access.Authorize[access.Read](r.Context(), nil, "nkv.test", team, at.String(), access.OwnedBy(team))
	if err != nil {
		r.Fatal(err)
	}
	return g
}

// Large values of a listing come a few at a time, and all of them.
func TestList_LargeValues(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	text := strings.Repeat("x", pageBytes/3)
	var want []string
	for i := range 10 {
		want = append(want, fmt.Sprint("k", i))
		r.set("t", "ns", want[i], text)
	}
	r.set("t", "ns", "k5", strings.Repeat("y", 2*pageBytes))
	if got := r.keys("t", "ns", 4); !slices.Equal(got, want) {
		t.Errorf("keys = %q, want %q", got, want)
	}
}

// What was changed behind our back is an error that names the key, or nothing; listings and other teams go on, and it can
// be stored anew.
func TestT46_ChangedBehindOurBack(t *testing.T) {
	t.Parallel()
	const value, beside = "smyth:cache:team_t:ns:k", "smyth:metadata:team_t:ns:k"
	for name, c := range map[string]struct {
		change func(r *rig)
		code   string // "" for nothing there
	}{
		"one letter":       {func(r *rig) { r.put(value, strings.Replace(r.text(value), "secret", "recret", 1)) }, nkv.CodeDamaged},
		"cut":              {func(r *rig) { r.put(value, r.text(value)[:20]) }, nkv.CodeDamaged},
		"empty":            {func(r *rig) { r.put(value, "") }, nkv.CodeDamaged},
		"of another key":   {func(r *rig) { r.put(value, r.text("smyth:cache:team_t:ns:l")) }, nkv.CodeDamaged},
		"of another team":  {func(r *rig) { r.put(value, r.text("smyth:cache:team_u:ns:k")) }, nkv.CodeDamaged},
		"as by another":    {func(r *rig) { r.put(value, "x"); r.put(beside, besideOf(r, "u")) }, nkv.CodeDamaged},
		"one of the cache": {func(r *rig) { r.put(beside, labelMagic+"G 0 0 x y\n") }, ""},
		"another type": {func(r *rig) {
			r.raw.Del(r.Context(), r.store.prefix+value)
			r.raw.LPush(r.Context(), r.store.prefix+value, "x")
		}, ""},
		"rights of another type": {func(r *rig) { r.raw.LPush(r.Context(), r.store.prefix+beside, "x") }, "whole"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.set("t", "ns", "j", "before")
			r.set("t", "ns", "k", "a secret")
			r.set("t", "ns", "l", "after")
			r.set("u", "ns", "k", "of u")
			c.change(r)
			got, ok, err := r.as("t").Get(t.Context(), "ns", "k")
			want := []string{"j", "l"}
			switch c.code {
			case "whole":
				want = []string{"j", "k", "l"}
				r.want("t", "ns", "k", "a secret")
			case "":
				if ok || err != nil {
					t.Errorf("Get = %s, %v, %v, want nothing", got.JSON(), ok, err)
				}
			default:
				if ok || fault.CodeOf(err) != c.code || !strings.Contains(err.Error(), `"k"`) {
					t.Errorf("Get = %s, %v, %v, want %s with the key", got.JSON(), ok, err, c.code)
				}
			}
			for _, limit := range []int{0, 1} {
				if got := r.keys("t", "ns", limit); !slices.Equal(got, want) {
					t.Errorf("keys = %q, want %q", got, want)
				}
			}
			r.want("u", "ns", "k", "of u")
			r.set("t", "ns", "k", "mended")
			r.want("t", "ns", "k", "mended")
			if got := r.keys("t", "ns", 0); !slices.Equal(got, []string{"j", "k", "l"}) {
				t.Errorf("keys = %q, want all", got)
			}
		})
	}
}

// text reads behind the back of the connector.
func (r *rig) text(key string) string {
	r.Helper()
	text, err := r.raw.Get(r.Context(), r.store.prefix+key).Result()
	if err != nil {
		r.Fatal(err)
	}
	return text
}
