package nkvtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/value"
)

// What is set is got, of every kind, until it is set anew or deleted.
func roundTrip(f *fixture) {
	h := f.as("agent:a1")
	for _, text := range []string{`null`, `false`, `0`, `-1.5e300`, `""`, `"text\n\u2028 ü"`, `"{\"a\":1}"`, `[]`, `{}`, `[1,[null]]`, `{"b":1,"a":{"c":[{}]}}`} {
		want, err := value.Parse(text)
		if err != nil {
			f.Fatal(err)
		}
		if err := h.Set(f.Context(), "ns", "k", want); err != nil {
			f.Fatalf("Set of %s: %v", text, err)
		}
		got, ok, err := h.Get(f.Context(), "ns", "k")
		if err != nil || !ok || got.JSON() != want.JSON() {
			f.Errorf("Get = %s, %v, %v, want %s", got.JSON(), ok, err, text)
		}
		if ok, err := h.Exists(f.Context(), "ns", "k"); !ok || err != nil {
			f.Errorf("Exists = %v, %v, want true", ok, err)
		}
	}
	for range 2 {
		if err := h.Delete(f.Context(), "ns", "k"); err != nil {
			f.Errorf("Delete: %v", err)
		}
		f.want("agent:a1", "ns", "k", "")
		if ok, err := h.Exists(f.Context(), "ns", "k"); ok || err != nil {
			f.Errorf("Exists = %v, %v, want false", ok, err)
		}
	}
}

// What cannot be stored or named is refused, and what was there stays.
func invalid(f *fixture) {
	f.set("agent:a1", "ns", "k", "old")
	h := f.as("agent:a1")
	f.wantKind("Set of nothing", h.Set(f.Context(), "ns", "k", value.Value{}), fault.Invalid)
	f.wantKind("Set of too much", h.Set(f.Context(), "ns", "k", value.Of(strings.Repeat("x", nkv.MaxValueBytes))), fault.Limit)
	for _, op := range operations() {
		if err := op.do(f.Context(), h, "", "k"); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), `Validation Error: "namespace" is not allowed to be empty`) {
			f.Errorf("%s without a namespace = %v, want INVALID that says so", op.name, err)
		}
		if err := op.do(f.Context(), h, "ns", ""); !op.all && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), `Validation Error: "key" is not allowed to be empty`)) {
			f.Errorf("%s without a key = %v, want INVALID that says so", op.name, err)
		}
		if op.all {
			f.set("agent:a1", "ns", "k", "old") // the namespace was named well
		}
	}
	_, err := h.List(f.Context(), "ns", nkv.Page{After: "../x"})
	f.wantKind("List after no key", err, fault.Invalid)
	f.want("agent:a1", "ns", "k", "old")
}

// traversal refuses every namespace and key that tries to get somewhere else, by every operation.
func traversal(f *fixture) {
	for _, text := range []string{".", "..", "../x", "..\\x", "%2e%2e%2fx", "..%2fx", "/etc/passwd", "C:\\x", "a/../../x", "x/.../../tb/ns", "a\x00b", "a\nb", strings.Repeat("x", 5000), "\xff"} {
		for _, op := range operations() {
			err := op.do(f.Context(), f.as("agent:a1"), text, "k")
			if !fault.Is(err, fault.Invalid) || fault.CodeOf(err) != access.CodePathDenied {
				f.Errorf("%s in the namespace %.40q = %v, want INVALID with the code %s", op.name, text, err, access.CodePathDenied)
			}
			if op.all {
				continue
			}
			err = op.do(f.Context(), f.as("agent:a1"), "ns", text)
			if !fault.Is(err, fault.Invalid) || fault.CodeOf(err) != access.CodePathDenied {
				f.Errorf("%s of %.40q = %v, want INVALID with the code %s", op.name, text, err, access.CodePathDenied)
			}
		}
	}
}

// No address meets another, and a namespace is not below another, whatever they are called.
func addressesStandApart(f *fixture) {
	parts := []string{"a", "b", "a/b", "a:b", "a%2Fb", "a%252Fb", "a b", "A", "a.", "b/c", "ab", "*", "a*", "ü", "team_tb:a"}
	for _, ns := range parts {
		for _, key := range parts {
			f.set("agent:a1", ns, key, ns+" | "+key)
		}
	}
	sorted := slices.Sorted(slices.Values(parts))
	for _, ns := range parts {
		for _, key := range parts {
			f.want("agent:a1", ns, key, ns+" | "+key)
		}
		if got := f.keys("agent:a1", ns, 0); !slices.Equal(got, sorted) {
			f.Errorf("List(%q) = %q, want %q", ns, got, sorted)
		}
	}
	if err := f.as("agent:a1").Delete(f.Context(), "a", "b/c"); err != nil {
		f.Errorf("Delete: %v", err)
	}
	f.want("agent:a1", "a", "b/c", "")
	f.want("agent:a1", "a/b", "c", "")
	f.want("agent:a1", "a/b", "b", "a/b | b")
}

// A team's values are its members', all of them, and nobody else's.
func teamsStandApart(f *fixture) {
	f.set("agent:a1", "ns", "k", "of team a")
	f.set("agent:b1", "ns", "k", "of team b")
	for _, who := range []string{"agent:a1", "agent:a2", "user:u1", "team:ta"} {
		f.want(who, "ns", "k", "of team a")
	}
	f.want("team:tb", "ns", "k", "of team b")
	f.want("team:tc", "ns", "k", "")
	f.set("user:u1", "ns", "k", "changed")
	f.want("agent:a1", "ns", "k", "changed")
	f.want("agent:b1", "ns", "k", "of team b")
	f.teams.Move("a2", "tb")
	f.want("agent:a2", "ns", "k", "of team b")
	if err := f.as("agent:a2").DeleteAll(f.Context(), "ns"); err != nil {
		f.Errorf("DeleteAll: %v", err)
	}
	f.want("agent:b1", "ns", "k", "")
	f.want("agent:a1", "ns", "k", "changed")
	if got := f.denials.Take(); len(got) != 0 {
		f.Errorf("members left the records %+v, want none", got)
	}
}

// Who belongs to no team is refused by every operation, and each refusal leaves one record.
func nobodyIsRefused(f *fixture) {
	f.set("agent:a1", "ns", "k", "secret")
	for _, h := range []*nkv.Handle{f.as("public"), f.as("agent:unknown"), f.as("user:nobody"), f.service.For(access.Candidate{})} {
		for _, op := range operations() {
			f.denials.Take()
			f.wantKind(op.name+" as "+h.Candidate().String(), op.do(f.Context(), h, "ns", "k"), fault.Denied)
			if got := f.denials.Take(); len(got) != 1 || got[0].Operation != op.name || got[0].Candidate != h.Candidate() {
				f.Errorf("%s as %s left the records %+v, want one", op.name, h.Candidate(), got)
			}
		}
	}
	f.teams.Move("a1", "not a team id")
	_, _, err := f.as("agent:a1").Get(f.Context(), "ns", "k")
	f.wantKind("Get with a malformed team", err, fault.Denied)
	f.want("agent:a2", "ns", "k", "secret")
}

// keys returns the keys that a candidate is listed, page by page, sorted.
func (f *fixture) keys(who, namespace string, limit int) []string {
	f.Helper()
	var keys []string
	for after := ""; ; {
		list, err := f.as(who).List(f.Context(), namespace, nkv.Page{After: after, Limit: limit})
		if err != nil {
			f.Fatalf("List(%q) as %s: %v", namespace, who, err)
		}
		for _, it := range list.Items {
			keys = append(keys, it.Key)
		}
		if after = list.Next; after == "" {
			break
		}
	}
	slices.Sort(keys)
	return keys
}

// Listings give one namespace of one team, in pages without gap or repetition, while values come and go.
func listing(f *fixture) {
	var want []string
	for i := range 50 {
		key := fmt.Sprintf("k%02d", i)
		f.set("agent:a1", "ns", key, key)
		want = append(want, key)
	}
	for _, other := range []string{"ns2", "n", "ns:sub", "ns/sub"} {
		f.set("agent:a1", other, "foreign", "x")
	}
	f.set("agent:b1", "ns", "foreign", "x")
	for _, limit := range []int{0, 1, 7, 50} {
		if got := f.keys("agent:a2", "ns", limit); !slices.Equal(got, want) {
			f.Errorf("List by %d = %q, want %q", limit, got, want)
		}
	}
	if got := f.keys("agent:a1", "empty", 0); len(got) != 0 {
		f.Errorf("List of an empty namespace = %q, want nothing", got)
	}
	first, err := f.as("agent:a1").List(f.Context(), "ns", nkv.Page{Limit: 10})
	if err != nil || len(first.Items) != 10 || first.Next == "" {
		f.Fatalf("List = %+v, %v, want 10 values and more", first, err)
	}
	if got := first.Items[3]; got.Value.Plain() != got.Key {
		f.Errorf("value of %q = %s, want its key", got.Key, got.Value.JSON())
	}
	if err := f.as("agent:a1").Delete(f.Context(), "ns", first.Next); err != nil {
		f.Fatal(err)
	}
	second, err := f.as("agent:a1").List(f.Context(), "ns", nkv.Page{After: first.Next})
	if err != nil || len(second.Items) != 40 || second.Next != "" {
		f.Errorf("List after a deleted key = %d values, %q, %v, want the other 40", len(second.Items), second.Next, err)
	}
}

// DeleteAll empties one namespace of one team.
func deleteAll(f *fixture) {
	for _, ns := range []string{"ns", "ns2", "ns:sub", "n", "ns/sub"} {
		f.set("agent:a1", ns, "k", "x")
		f.set("agent:b1", ns, "k", "y")
	}
	for range 2 {
		if err := f.as("agent:a2").DeleteAll(f.Context(), "ns"); err != nil {
			f.Errorf("DeleteAll: %v", err)
		}
	}
	f.want("agent:a1", "ns", "k", "")
	for _, ns := range []string{"ns2", "ns:sub", "n", "ns/sub"} {
		f.want("agent:a1", ns, "k", "x")
	}
	f.want("agent:b1", "ns", "k", "y")
	f.set("agent:a1", "ns", "k", "again")
	if got := f.keys("agent:a1", "ns", 0); !slices.Equal(got, []string{"k"}) {
		f.Errorf("List = %q, want the key that was set again", got)
	}
}

// An operation after the end of its context does nothing.
func canceled(f *fixture) {
	f.set("agent:a1", "ns", "k", "old")
	ctx, cancel := context.WithCancel(f.Context())
	cancel()
	for _, op := range operations() {
		f.wantKind(op.name, op.do(ctx, f.as("agent:a1"), "ns", "k"), fault.Canceled)
	}
	f.want("agent:a1", "ns", "k", "old")
}

// A grant that nobody gave opens nothing.
func grantsAreNeeded(f *fixture) {
	f.set("agent:a1", "ns", "k", "secret")
	ctx := f.Context()
	forged := map[string]func(){
		"Get":       func() { _, _ = f.conn.Get(ctx, access.Grant[access.Read]{}) },
		"Set":       func() { _ = f.conn.Set(ctx, access.Grant[access.Write]{}, value.Of("x")) },
		"Delete":    func() { _ = f.conn.Delete(ctx, access.Grant[access.Write]{}) },
		"DeleteAll": func() { _ = f.conn.DeleteAll(ctx, access.Grant[access.Write]{}) },
		"List": func() {
			for range f.conn.List(ctx, access.Grant[access.Read]{}, "") {
				f.Error("List without a grant gives something")
			}
		},
	}
	for name, do := range forged {
		if !panics(do) {
			f.Errorf("%s took a grant that was made without Authorize", name)
		}
	}
	f.want("agent:a1", "ns", "k", "secret")
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

// Teams that work at the same time do not see each other's values, and what one wrote last is what it reads.
func concurrent(f *fixture) {
	var wg sync.WaitGroup
	for _, who := range []string{"agent:a1", "agent:b1", "team:tc", "team:td"} {
		wg.Go(func() {
			for i := range 50 {
				key, text := fmt.Sprint("k", i%5), fmt.Sprint(who, i)
				if err := f.as(who).Set(f.Context(), "ns", key, value.Of(text)); err != nil {
					f.Errorf("Set: %v", err)
				}
				f.want(who, "ns", key, text)
				if _, err := f.as(who).List(f.Context(), "ns", nkv.Page{}); err != nil {
					f.Errorf("List: %v", err)
				}
				if i%10 == 9 {
					if err := f.as(who).DeleteAll(f.Context(), "ns"); err != nil {
						f.Errorf("DeleteAll: %v", err)
					}
				}
			}
		})
	}
	wg.Wait()
}
