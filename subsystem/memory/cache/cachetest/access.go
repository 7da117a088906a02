package cachetest

import (
	"sync"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// A stranger is refused by every operation, each refusal leaves one record, and nothing has changed.
func strangerIsRefused(f *fixture) {
	f.set("agent:a1", "mine", "secret", cache.Options{Metadata: value.Obj(value.M("k", value.Of("v")))})
	for _, who := range []string{"agent:a2", "agent:b1", "user:a1", "team:ta", "public", "agent:unknown", "team:a1"} {
		for _, op := range operations() {
			f.denials.Take()
			f.wantKind(op.name+" as "+who, op.do(f.Context(), f.as(who), "mine"), fault.Denied)
			got := f.denials.Take()
			if len(got) != 1 || got[0].Operation != op.name || got[0].Resource != "mine" || got[0].Candidate.String() != who {
				f.Errorf("%s as %s left the records %+v, want one", op.name, who, got)
			}
		}
	}
	f.want("agent:a1", "mine", "secret")
	f.wantMetadata("mine", value.Obj(value.M("k", value.Of("v"))))
	f.wantTTL("mine", 0)
}

// Nobody, and the public where nothing is, get nowhere.
func nobodyIsRefused(f *fixture) {
	for _, h := range []*cache.Handle{f.service.For(access.Candidate{}), f.as("public")} {
		for _, op := range operations() {
			f.wantKind(op.name+" as "+h.Candidate().String(), op.do(f.Context(), h, "k"), fault.Denied)
		}
	}
}

// Reading needs read; setting, deleting, metadata and lifetime need write; the ACL needs ownership.
func levels(f *fixture) {
	acl := access.NewACL().With(f.candidate("agent:b1"), access.RightRead).With(f.candidate("user:u1"), access.RightWrite)
	allowed := map[string]map[string]bool{
		"agent:b1": {"cache.get": true, "cache.exists": true, "cache.ttl": true, "cache.metadata": true, "cache.acl": true},
		"user:u1":  {"cache.set": true, "cache.set-metadata": true, "cache.update-ttl": true, "cache.delete": true},
	}
	for who, may := range allowed {
		for _, op := range operations() {
			f.set("agent:a1", op.name, "x", cache.Options{ACL: acl})
			err := op.do(f.Context(), f.as(who), op.name)
			if may[op.name] && err != nil || !may[op.name] && !fault.Is(err, fault.Denied) {
				f.Errorf("%s as %s = %v, want allowed %v", op.name, who, err, may[op.name])
			}
			if err := f.as("agent:a1").Delete(f.Context(), op.name); err != nil {
				f.Errorf("Delete: %v", err)
			}
		}
	}
}

// Who may set an entry does not become its owner by that, and cannot lock the owner out.
func settingAgainKeepsOwner(f *fixture) {
	writer := f.candidate("agent:b1")
	acl := access.NewACL().With(writer, access.RightRead|access.RightWrite)
	f.set("agent:a1", "k", "one", cache.Options{ACL: acl})
	f.set("agent:b1", "k", "two", cache.Options{ACL: access.OwnedBy(writer)})
	f.want("agent:a1", "k", "two")
	f.wantKind("SetACL as a writer", f.as("agent:b1").SetACL(f.Context(), "k", access.OwnedBy(writer)), fault.Denied)
	got, err := f.as("agent:a1").ACL(f.Context(), "k")
	if want := acl.With(f.candidate("agent:a1"), access.RightOwner); err != nil || got.String() != want.String() {
		f.Errorf("ACL = %v, %v, want %v", got, err, want)
	}
}

// Rights of a team are rights of its members, rights of the public everybody's.
func teamAndPublic(f *fixture) {
	f.set("agent:a1", "shared", "for us", cache.Options{ACL: access.NewACL().With(f.candidate("team:ta"), access.RightRead|access.RightWrite)})
	f.set("agent:a1", "open", "for all", cache.Options{ACL: access.NewACL().With(access.Public(), access.RightRead)})
	for _, who := range []string{"agent:a2", "user:u1", "team:ta"} {
		f.want(who, "shared", "for us")
		f.set(who, "shared", "for us", cache.Options{})
	}
	for _, who := range []string{"agent:b1", "public", "agent:unknown", "team:tb"} {
		_, _, err := f.as(who).Get(f.Context(), "shared")
		f.wantKind("Get as "+who, err, fault.Denied)
		f.want(who, "open", "for all")
		f.wantKind("Delete as "+who, f.as(who).Delete(f.Context(), "open"), fault.Denied)
	}
}

// A right that was taken away is gone when the call that took it returns.
func revocation(f *fixture) {
	reader := f.candidate("agent:b1")
	h := f.as("agent:a1")
	f.set("agent:a1", "k", "secret", cache.Options{})
	for range 3 {
		if err := h.SetACL(f.Context(), "k", access.NewACL().With(reader, access.RightRead)); err != nil {
			f.Fatalf("SetACL: %v", err)
		}
		f.want("agent:b1", "k", "secret")
		if err := h.SetACL(f.Context(), "k", nil); err != nil {
			f.Fatalf("SetACL: %v", err)
		}
		_, _, err := f.as("agent:b1").Get(f.Context(), "k")
		f.wantKind("Get after the revocation", err, fault.Denied)
		f.want("agent:a1", "k", "secret")
	}
}

// Of many who make an entry at once, one becomes its owner and the others are refused.
func oneMaker(f *fixture) {
	whos := []string{"agent:a1", "agent:a2", "agent:b1", "user:u1", "agent:c1", "agent:c2", "agent:c3", "agent:c4"}
	errs := make([]error, len(whos))
	var wg sync.WaitGroup
	for i, who := range whos {
		wg.Go(func() { errs[i] = f.as(who).Set(f.Context(), "k", value.Of(who), cache.Options{}) })
	}
	wg.Wait()
	owner := ""
	for i, err := range errs {
		switch {
		case err == nil && owner == "":
			owner = whos[i]
		case err == nil:
			f.Errorf("both %s and %s made the entry", owner, whos[i])
		default:
			f.wantKind("Set as "+whos[i], err, fault.Denied)
		}
	}
	if owner == "" {
		f.Fatal("nobody could make the entry")
	}
	f.want(owner, "k", owner)
}

// While an owner gives and takes a right, and makes the entry anew, nobody succeeds after the call that took it
// returned, and nobody gets what was never given to them.
func race(f *fixture) {
	reader := f.candidate("agent:b1")
	f.set("agent:a1", "k", "private", cache.Options{})
	var mu sync.RWMutex // held for reading while the right is away for certain
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				mu.RLock()
				got, ok, err := f.as("agent:b1").Get(f.Context(), "k")
				if ok || err != nil && !fault.Is(err, fault.Denied) {
					f.Errorf("Get without the right = %s, %v, want a refusal or nothing", got.JSON(), err)
				}
				mu.RUnlock()
				if got, ok, err := f.as("agent:b1").Get(f.Context(), "k"); err == nil && ok && got.Plain() != "shared" {
					f.Errorf("Get = %s, which was never given", got.JSON())
				}
			}
		})
	}
	h := f.as("agent:a1")
	steps := func() error {
		mu.Lock()
		err := h.Set(f.Context(), "k", value.Of("shared"), cache.Options{})
		if err == nil {
			err = h.SetACL(f.Context(), "k", access.NewACL().With(reader, access.RightRead))
		}
		if err == nil {
			err = h.SetACL(f.Context(), "k", nil)
		}
		mu.Unlock()
		if err == nil {
			err = h.Set(f.Context(), "k", value.Of("private"), cache.Options{})
		}
		if err == nil {
			err = h.Delete(f.Context(), "k")
		}
		if err == nil {
			err = h.Set(f.Context(), "k", value.Of("private"), cache.Options{})
		}
		return err
	}
	for range 200 {
		if err := steps(); err != nil {
			f.Errorf("owner: %v", err)
			break
		}
	}
	close(stop)
	wg.Wait()
}
