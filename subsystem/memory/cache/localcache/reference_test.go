package localcache

import (
	"fmt"
	"os"
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

// Rights as the reference writes them: agent-a owns, and in the second team team-a may read.
const (
	oldOwner  = "h:xxh3|a:8d99dd9bc6c295e0/o"
	oldShared = "h:xxh3|t:8d538d4ba3e543f9/r|a:8d99dd9bc6c295e0/o"
)

// old writes an entry as the reference does.
func (r *rig) old(owner, key, text, metadata string) {
	r.Helper()
	r.put("cache/"+owner+"/"+key, text)
	r.put("cache.metadata/"+owner+"/"+key, metadata)
}

// Entries of the reference are read where they lie, under their ACL, and looking changes nothing.
func TestReference_Read(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), effect.System{}, nil)
		now := (effect.System{}).Now()
		r.old("agent-a", "k", `{"not":"parsed"}`, fmt.Sprintf(`{"acl":%q,"n":"5","text":"plain","o":"{\"a\":1}"}`, oldOwner))
		r.old("agent-a", "llm_cache_1:messages", "[]", fmt.Sprintf(`{"acl":%q,"expiresAt":"%d"}`, oldShared, now.Add(time.Hour).UnixMilli()))
		r.old("agent-a", "deep/er", "below", fmt.Sprintf(`{"acl":%q,"expiresAt":%d}`, oldOwner, now.Add(2*time.Hour).UnixMilli()))
		r.old("agent-a", "expired", "gone", fmt.Sprintf(`{"acl":%q,"expiresAt":%d}`, oldOwner, now.UnixMilli()))
		r.want("agent-a", "k", `{"not":"parsed"}`)
		if v, _, err := r.as("agent-a").Get(t.Context(), "k"); err != nil || v.Kind() != value.String {
			t.Errorf("Get = %s, %v, want the text as it was", v.JSON(), err)
		}
		if m, _, err := r.as("agent-a").Metadata(t.Context(), "k"); err != nil || m.JSON() != `{"n":5,"text":"plain","o":{"a":1}}` {
			t.Errorf("Metadata = %s, %v", m.JSON(), err)
		}
		if _, _, err := r.as("agent-b").Get(t.Context(), "k"); !fault.Is(err, fault.Denied) {
			t.Errorf("Get as a stranger = %v, want ACCESS_DENIED", err)
		}
		r.want("agent-a", "llm_cache_1:messages", "[]")
		if ttl, ok, err := r.as("agent-a").TTL(t.Context(), "llm_cache_1:messages"); err != nil || !ok || ttl != time.Hour {
			t.Errorf("TTL = %v, %v, %v, want an hour", ttl, ok, err)
		}
		r.want("agent-a", "deep/er", "below")
		r.want("agent-a", "missing", "")
		entries, err := os.ReadDir(r.dir)
		if err != nil || len(entries) != 2 {
			t.Errorf("after looking there are %v, %v, want the two folders of the reference", entries, err)
		}
		r.want("agent-a", "expired", "")
		r.want("agent-b", "expired", "")
		r.set("agent-b", "expired", "mine now", 0)
		r.want("agent-b", "expired", "mine now")
		if err := (effect.System{}).Sleep(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		r.want("agent-a", "llm_cache_1:messages", "")
	})
}

// A key that several candidates used in the reference is nobody's; setting it anew removes what they had.
func TestReference_SharedKey(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), effect.System{}, nil)
	r.old("agent-a", "k", "of a", fmt.Sprintf(`{"acl":%q}`, oldOwner))
	r.old("agent-b", "k", "of b", fmt.Sprintf(`{"acl":%q}`, access.OwnedBy(r.as("agent-b").Candidate())))
	for _, who := range []string{"agent-a", "agent-b", "agent-c"} {
		r.want(who, "k", "")
	}
	r.set("agent-c", "k", "of c", 0)
	r.want("agent-c", "k", "of c")
	if r.there("cache/agent-a/k") || r.there("cache/agent-b/k") {
		t.Error("files of the reference are left")
	}
	if err := r.as("agent-c").Delete(t.Context(), "k"); err != nil {
		t.Errorf("Delete: %v", err)
	}
	r.again().want("agent-a", "k", "")
}

// Whatever changes an entry of the reference makes a record of all of it, keeps what was not to change, and leaves nothing
// behind that could come to light again.
func TestReference_Change(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(r *rig) error
		text string // of the entry afterwards
		meta string
		same bool // the generation
	}{
		"set": {func(r *rig) error { return r.as("agent-a").Set(r.Context(), "k", value.Of("new"), cache.Options{}) }, "new", `{}`, true},
		"set metadata": {func(r *rig) error {
			return r.as("agent-a").SetMetadata(r.Context(), "k", value.Obj(value.M("m", value.OfInt(2))))
		}, "old", `{"n":5,"m":2}`, true},
		"update TTL": {func(r *rig) error { return r.as("agent-a").UpdateTTL(r.Context(), "k", time.Hour) }, "old", `{"n":5}`, true},
		"set ACL":    {func(r *rig) error { return r.as("agent-a").SetACL(r.Context(), "k", nil) }, "old", `{"n":5}`, false},
		"delete":     {func(r *rig) error { return r.as("agent-a").Delete(r.Context(), "k") }, "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, t.TempDir(), effect.System{}, nil)
			r.old("agent-a", "k", "old", fmt.Sprintf(`{"acl":%q,"n":"5"}`, oldShared))
			before, err := r.store.Rule(t.Context(), "k")
			if err != nil {
				t.Fatal(err)
			}
			if err := c.do(r); err != nil {
				t.Fatalf("%v", err)
			}
			if r.there("cache/agent-a/k") || r.there("cache.metadata/agent-a/k") {
				t.Error("files of the reference are left")
			}
			for _, seen := range []*rig{r, r.again()} {
				seen.want("agent-a", "k", c.text)
				if c.text == "" {
					continue
				}
				if m, _, err := seen.as("agent-a").Metadata(t.Context(), "k"); err != nil || m.JSON() != c.meta {
					t.Errorf("Metadata = %s, %v, want %s", m.JSON(), err, c.meta)
				}
				after, err := seen.store.Rule(t.Context(), "k")
				if err != nil || after.Generation == before.Generation != c.same || c.same && after.ACL.String() != oldShared {
					t.Errorf("Rule = %+v, %v after %+v, want the same: %v", after, err, before, c.same)
				}
			}
		})
	}
}

// A record hides files of the reference, also when the process ended before those were removed.
func TestReference_Hidden(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), effect.System{}, nil)
	r.set("agent-b", "k", "new", 0)
	r.old("agent-a", "k", "old", fmt.Sprintf(`{"acl":%q}`, oldOwner))
	again := r.again()
	again.want("agent-b", "k", "new")
	if err := again.as("agent-b").Delete(t.Context(), "k"); err != nil {
		t.Errorf("Delete: %v", err)
	}
	again.want("agent-a", "k", "")
	r.again().want("agent-a", "k", "")
}

// Another process may set an entry of the reference anew between two steps of a reader.
func TestReference_MovedMeanwhile(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), effect.System{}, nil)
	r.old("agent-a", "k", "old", fmt.Sprintf(`{"acl":%q}`, oldOwner))
	r.want("agent-a", "k", "old") // it knows the files by now
	r.again().set("agent-a", "k", "new", 0)
	r.want("agent-a", "k", "new")
	if err := r.again().as("agent-a").Delete(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	r.want("agent-a", "k", "")
	r.set("agent-b", "k", "of b", 0)
	r.want("agent-b", "k", "of b")
}

// An entry of the reference whose metadata is lost or cannot be understood is nobody's; others go on.
func TestF06_DamagedReference(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), effect.System{}, nil)
	r.put("cache/agent-a/lost", "secret")
	names := []string{"lost"}
	for name, text := range map[string]string{
		"empty": "", "cut": `{"acl":"h:xxh3|a:8d99dd9bc6`, "no-acl": `{"n":"5"}`, "number": `{"acl":1}`, "array": `["acl"]`, "hash": `{"acl":"h:md5|a:8d99dd9bc6c295e0/o"}`,
		"role": `{"acl":"h:xxh3|z:8d99dd9bc6c295e0/o"}`, "two": `{"acl":"` + oldOwner + `","acl":"h:xxh3"}`, "nobody": `{"acl":"h:xxh3"}`,
		"expiry": `{"acl":"` + oldOwner + `","expiresAt":"soon"}`, "expiry-list": `{"acl":"` + oldOwner + `","expiresAt":[1]}`, "expiry-far": `{"acl":"` + oldOwner + `","expiresAt":1e300}`,
		"expiry-nan": `{"acl":"` + oldOwner + `","expiresAt":"NaN"}`, "huge": `{"acl":"` + oldOwner + `","x":"` + strings.Repeat("x", maxOldMetadata) + `"}`,
	} {
		r.old("agent-a", name, "secret", text)
		names = append(names, name)
	}
	r.old("agent-a", "whole", "text", fmt.Sprintf(`{"acl":%q}`, oldOwner))
	for _, name := range names {
		*r.denied = 0
		if got, ok, err := r.as("agent-a").Get(t.Context(), name); ok || !fault.Is(err, fault.Denied) || *r.denied != 1 {
			t.Errorf("Get(%q) = %s, %v with %d records, want ACCESS_DENIED with one", name, got.JSON(), err, *r.denied)
		}
		if err := r.as("agent-b").Set(t.Context(), name, value.Of("taken over"), cache.Options{}); !fault.Is(err, fault.Denied) {
			t.Errorf("Set(%q) = %v, want ACCESS_DENIED", name, err)
		}
	}
	r.old("agent-a", "binary", "\xff\xfe", fmt.Sprintf(`{"acl":%q}`, oldOwner))
	again := r.again()
	if got, ok, err := again.as("agent-a").Get(t.Context(), "binary"); ok || fault.CodeOf(err) != cache.CodeDamaged {
		t.Errorf("Get of a file that is no text = %s, %v, want %s", got.JSON(), err, cache.CodeDamaged)
	}
	again.want("agent-a", "whole", "text")
}

// Whatever stands in a metadata file, reading it ends with rights or with damage.
func FuzzDecodeOld(f *testing.F) {
	f.Add([]byte(`{"acl":"` + oldShared + `","expiresAt":"1795419410000","n":"5","o":"{\"a\":1}"}`))
	f.Add([]byte(`{"acl":"` + oldOwner + `","expiresAt":1e18}`))
	f.Add([]byte(`{"acl":""}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := decodeOld(text)
		switch {
		case err == nil && (e.acl == nil || e.metadata.Has("acl") || !e.metadata.IsNil() && !e.metadata.IsObject()):
			t.Errorf("decodeOld gave %+v", e)
		case err != nil && fault.CodeOf(err) != cache.CodeDamaged:
			t.Errorf("decodeOld = %v, want %s", err, cache.CodeDamaged)
		}
	})
}
