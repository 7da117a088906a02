package cachetest

import (
	"context"
	"strings"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// What is set is got, of every kind, until it is set anew or deleted.
func roundTrip(f *fixture) {
	h := f.as("agent:a1")
	values := []string{`null`, `true`, `0`, `-1.5e300`, `""`, `"text\nwith \"everything\" \u2028 ü"`, `[]`, `{}`, `[1,[2,[3,null]]]`, `{"b":1,"a":{"c":[{}]}}`,
		`"` + strings.Repeat("x", 1<<16) + `"`}
	for _, text := range values {
		want, err := value.Parse(text)
		if err != nil {
			f.Fatal(err)
		}
		if err := h.Set(f.Context(), "k", want, cache.Options{}); err != nil {
			f.Fatalf("Set of %.40s: %v", text, err)
		}
		got, ok, err := h.Get(f.Context(), "k")
		if err != nil || !ok || got.JSON() != want.JSON() {
			f.Errorf("Get = %.60s, %v, %v, want %.60s", got.JSON(), ok, err, text)
		}
	}
	if err := h.Delete(f.Context(), "k"); err != nil {
		f.Errorf("Delete: %v", err)
	}
	f.want("agent:a1", "k", "")
}

// No entry is an answer where one asks, and NotFound where something is to be changed.
func missing(f *fixture) {
	for _, op := range operations() {
		if op.name == "cache.set" {
			continue
		}
		err := op.do(f.Context(), f.as("agent:a1"), "missing")
		if op.asks && err != nil || !op.asks && !fault.Is(err, fault.NotFound) {
			f.Errorf("%s of nothing = %v, want an answer %v", op.name, err, op.asks)
		}
	}
	f.want("agent:a1", "missing", "")
	f.want("agent:b1", "missing", "")
	if ok, err := f.as("agent:a1").Exists(f.Context(), "missing"); ok || err != nil {
		f.Errorf("Exists = %v, %v, want false", ok, err)
	}
	f.set("agent:a1", "there", "x", cache.Options{})
	if ok, err := f.as("agent:a1").Exists(f.Context(), "there"); !ok || err != nil {
		f.Errorf("Exists = %v, %v, want true", ok, err)
	}
}

// No key meets another, however a connector stores them.
func keysStandApart(f *fixture) {
	keys := []string{
		"a", "A", "a:b", "a:b:c", "a/b", "a\\b", "a b", "a.", "a..b", "a%20b", "100%", "ü", "日本", "CON", "a*", "a?b", "a|b", "metadata:a", "smyth:cache:a",
		"agent-1:mem:Hello, world!", strings.Repeat("x", access.MaxName), strings.Repeat("x", access.MaxName-1),
	}
	for _, key := range keys {
		f.set("agent:a1", key, "I am "+key, cache.Options{})
	}
	for i, key := range keys {
		f.want("agent:a1", key, "I am "+key)
		if err := f.as("agent:a1").Delete(f.Context(), key); err != nil {
			f.Errorf("Delete(%q): %v", key, err)
		}
		f.want("agent:a1", key, "")
		for _, other := range keys[i+1:] {
			f.want("agent:a1", other, "I am "+other)
		}
	}
}

// traversal refuses every key that tries to get somewhere else, by every operation.
func traversal(f *fixture) {
	for _, key := range []string{
		"", ".", "..", "../x", "..\\x", "%2e%2e%2fx", "..%2fx", "/etc/passwd", "C:\\x", "\\\\?\\C:\\x", "a/../../x", "a\x00b", "a\nb",
		strings.Repeat("x", 5000), "\xff",
	} {
		for _, op := range operations() {
			err := op.do(f.Context(), f.as("agent:a1"), key)
			if !fault.Is(err, fault.Invalid) || fault.CodeOf(err) != access.CodePathDenied {
				f.Errorf("%s of %.40q = %v, want INVALID with the code %s", op.name, key, err, access.CodePathDenied)
			}
		}
	}
}

// What cannot be stored is refused, and what was there stays.
func invalid(f *fixture) {
	h := f.as("agent:a1")
	f.set("agent:a1", "k", "old", cache.Options{})
	plain, err := access.NewACLWithHash(access.PlainID)
	if err != nil {
		f.Fatal(err)
	}
	big := value.Obj(value.M("k", value.Of(strings.Repeat("x", cache.MaxMetadataBytes))))
	for name, c := range map[string]struct {
		err  error
		want fault.Kind
	}{
		"no value":          {h.Set(f.Context(), "k", value.Value{}, cache.Options{}), fault.Invalid},
		"into the past":     {h.Set(f.Context(), "k", value.Of("x"), cache.Options{TTL: -1}), fault.Invalid},
		"plain ids":         {h.Set(f.Context(), "k", value.Of("x"), cache.Options{ACL: plain}), fault.Invalid},
		"set plain ids":     {h.SetACL(f.Context(), "k", plain), fault.Invalid},
		"metadata text":     {h.Set(f.Context(), "k", value.Of("x"), cache.Options{Metadata: value.Of("x")}), fault.Invalid},
		"metadata acl":      {h.SetMetadata(f.Context(), "k", value.Obj(value.M("acl", value.Of("x")))), fault.Invalid},
		"large metadata":    {h.Set(f.Context(), "k", value.Of("x"), cache.Options{Metadata: big}), fault.Limit},
		"negative lifetime": {h.UpdateTTL(f.Context(), "k", -time.Second), fault.Invalid},
	} {
		f.wantKind(name, c.err, c.want)
	}
	f.want("agent:a1", "k", "old")
}

// An entry whose time has passed is gone in every respect, also for those it was refused to.
func ttl(f *fixture) {
	h := f.as("agent:a1")
	f.set("agent:a1", "brief", "x", cache.Options{TTL: time.Minute})
	f.set("agent:a1", "later", "x", cache.Options{})
	f.set("agent:a1", "kept", "x", cache.Options{TTL: time.Minute})
	f.wantTTL("later", 0)
	if err := h.UpdateTTL(f.Context(), "later", time.Minute); err != nil {
		f.Errorf("UpdateTTL: %v", err)
	}
	if err := h.UpdateTTL(f.Context(), "kept", 0); err != nil {
		f.Errorf("UpdateTTL: %v", err)
	}
	f.wantTTL("brief", time.Minute)
	f.wantTTL("later", time.Minute)
	f.wantTTL("kept", 0)
	f.wantTTL("missing", 0)
	f.sleep(20 * time.Second)
	f.wantTTL("brief", 40*time.Second)
	f.sleep(40*time.Second - 1)
	f.want("agent:a1", "brief", "x")
	_, _, err := f.as("agent:b1").Get(f.Context(), "brief")
	f.wantKind("Get as a stranger", err, fault.Denied)
	f.sleep(1)
	for _, key := range []string{"brief", "later"} {
		f.want("agent:a1", key, "")
		f.want("agent:b1", key, "")
		f.wantKind("UpdateTTL of an expired entry", h.UpdateTTL(f.Context(), key, time.Hour), fault.NotFound)
	}
	f.want("agent:a1", "kept", "x")
	f.set("agent:b1", "brief", "mine now", cache.Options{})
	_, _, err = h.Get(f.Context(), "brief")
	f.wantKind("Get of what another made anew", err, fault.Denied)
	f.set("agent:a1", "kept", "y", cache.Options{TTL: time.Second})
	f.set("agent:a1", "kept", "z", cache.Options{})
	f.sleep(time.Hour)
	f.want("agent:a1", "kept", "z")
}

func (f *fixture) wantTTL(key string, want time.Duration) {
	f.Helper()
	got, ok, err := f.as("agent:a1").TTL(f.Context(), key)
	if err != nil || got != want || ok != (want != 0) {
		f.Errorf("TTL(%q) = %v, %v, %v, want %v", key, got, ok, err, want)
	}
}

// Metadata comes back as it went in; setting members leaves the others and the value.
func metadata(f *fixture) {
	h := f.as("agent:a1")
	first := value.Obj(value.M("n", value.OfNumber(1.5)), value.M("deep", value.List(value.NullValue(), value.OfBool(true))))
	f.set("agent:a1", "k", "x", cache.Options{Metadata: first})
	f.wantMetadata("k", first)
	if err := h.SetMetadata(f.Context(), "k", value.Obj(value.M("n", value.Of("two")), value.M("new", value.OfInt(3)))); err != nil {
		f.Errorf("SetMetadata: %v", err)
	}
	f.wantMetadata("k", first.With("n", value.Of("two")).With("new", value.OfInt(3)))
	f.want("agent:a1", "k", "x")
	f.set("agent:a1", "k", "y", cache.Options{})
	f.wantMetadata("k", value.Obj())
	half := value.Obj(value.M("k", value.Of(strings.Repeat("x", cache.MaxMetadataBytes-100))))
	f.set("agent:a1", "k", "y", cache.Options{Metadata: half})
	f.wantKind("SetMetadata over the limit in sum", h.SetMetadata(f.Context(), "k", value.Obj(value.M("l", value.Of(strings.Repeat("y", 200))))), fault.Limit)
	f.wantMetadata("k", half)
}

func (f *fixture) wantMetadata(key string, want value.Value) {
	f.Helper()
	got, ok, err := f.as("agent:a1").Metadata(f.Context(), key)
	if err != nil || !ok || !value.Equal(got, want) {
		f.Errorf("Metadata(%q) = %.200s, %v, %v, want %.200s", key, got.JSON(), ok, err, want.JSON())
	}
}

// An operation after the end of its context does nothing.
func canceled(f *fixture) {
	f.set("agent:a1", "k", "old", cache.Options{})
	ctx, cancel := context.WithCancel(f.Context())
	cancel()
	for _, op := range operations() {
		f.wantKind(op.name, op.do(ctx, f.as("agent:a1"), "k"), fault.Canceled)
	}
	f.want("agent:a1", "k", "old")
}
