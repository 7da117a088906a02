package storagetest

import (
	"sync"
	"testing/synctest"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/value"
)

// A stranger is refused by every operation, each refusal leaves one record, and nothing has changed.
func strangerIsRefused(f *fixture) {
	f.write("agent:a1", "mine", "secret", storage.Options{Metadata: value.Obj(value.M("k", value.Of("v")))})
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
	f.wantText("agent:a1", "mine", "secret")
	f.wantMetadata("mine", value.Obj(value.M("k", value.Of("v"))))
	info, err := f.as("agent:a1").Stat(f.Context(), "mine")
	if err != nil || !info.Expires.IsZero() {
		f.Errorf("Stat = %+v, %v, want no expiry", info, err)
	}
}

// Nobody, and the public where nothing is, get nowhere.
func nobodyIsRefused(f *fixture) {
	for _, h := range []*storage.Handle{f.service.For(access.Candidate{}), f.as("public")} {
		for _, op := range operations() {
			f.wantKind(op.name+" as "+h.Candidate().String(), op.do(f.Context(), h, "x"), fault.Denied)
		}
	}
	_, err := f.service.For(access.Candidate{}).List(f.Context(), "", storage.Page{})
	f.wantKind("List as nobody", err, fault.Denied)
}

// Reading needs read; writing, deleting, metadata and expiry need write; the ACL needs ownership.
func levels(f *fixture) {
	reader, writer := f.candidate("agent:b1"), f.candidate("user:u1")
	allowed := map[string]map[string]bool{
		"agent:b1": {"storage.read": true, "storage.stat": true, "storage.exists": true, "storage.metadata": true, "storage.acl": true},
		"user:u1":  {"storage.write": true, "storage.set-metadata": true, "storage.expire": true, "storage.delete": true},
	}
	for who, may := range allowed {
		for _, op := range operations() {
			acl := access.NewACL().With(reader, access.RightRead).With(writer, access.RightWrite)
			f.write("agent:a1", op.name, "x", storage.Options{ACL: acl})
			err := op.do(f.Context(), f.as(who), op.name)
			if may[op.name] && err != nil || !may[op.name] && !fault.Is(err, fault.Denied) {
				f.Errorf("%s as %s = %v, want allowed %v", op.name, who, err, may[op.name])
			}
			if err := f.as("agent:a1").Delete(f.Context(), op.name); err != nil && !fault.Is(err, fault.NotFound) {
				f.Errorf("Delete: %v", err)
			}
		}
	}
}

// Who may write does not become the owner by writing, and cannot lock the owner out.
func overwriteKeepsOwner(f *fixture) {
	writer := f.candidate("agent:b1")
	acl := access.NewACL().With(writer, access.RightRead|access.RightWrite)
	f.write("agent:a1", "x", "one", storage.Options{ACL: acl})
	f.write("agent:b1", "x", "two", storage.Options{ACL: access.OwnedBy(writer)})
	f.wantText("agent:a1", "x", "two")
	f.wantKind("SetACL as a writer", f.as("agent:b1").SetACL(f.Context(), "x", access.OwnedBy(writer)), fault.Denied)
	got, err := f.as("agent:a1").ACL(f.Context(), "x")
	if want := acl.With(f.candidate("agent:a1"), access.RightOwner); err != nil || got.String() != want.String() {
		f.Errorf("ACL = %v, %v, want %v", got, err, want)
	}
}

// Rights of a team are rights of its members, rights of the public everybody's.
func teamAndPublic(f *fixture) {
	team := f.candidate("team:ta")
	f.write("agent:a1", "shared", "for us", storage.Options{ACL: access.NewACL().With(team, access.RightRead)})
	f.write("agent:a1", "open", "for all", storage.Options{ACL: access.NewACL().With(access.Public(), access.RightRead)})
	f.write("agent:a1", "teams", "of the team", storage.Options{ACL: access.NewACL().With(team, access.RightOwner)})
	for _, who := range []string{"agent:a2", "user:u1", "team:ta"} {
		f.wantText(who, "shared", "for us")
		f.wantText(who, "teams", "of the team")
		f.wantKind("Write as "+who, f.as(who).Write(f.Context(), "shared", nil, storage.Options{}), fault.Denied)
	}
	for _, who := range []string{"agent:b1", "public", "agent:unknown", "team:tb"} {
		_, err := f.as(who).Read(f.Context(), "shared")
		f.wantKind("Read as "+who, err, fault.Denied)
		f.wantText(who, "open", "for all")
		f.wantKind("Delete as "+who, f.as(who).Delete(f.Context(), "open"), fault.Denied)
	}
	f.teams.Move("a2", "tb")
	_, err := f.as("agent:a2").Read(f.Context(), "shared")
	f.wantKind("Read after leaving the team", err, fault.Denied)
	if err := f.as("user:u1").SetACL(f.Context(), "teams", nil); err != nil {
		f.Errorf("SetACL as a member of the owning team: %v", err)
	}
}

// Names below the place of a team are its own: others can neither make objects there nor find out what there is.
func placesOfTeams(f *fixture) {
	places := []string{"teams/ta/x", "teams/ta.agent/a1/x", "teams/ta.user/u1/x", "TEAMS/ta/x", "teams/ta"}
	for _, name := range places {
		for _, who := range []string{"agent:b1", "team:tb", "agent:unknown", "public"} {
			for _, op := range operations() {
				f.wantKind(op.name+" of "+name+" as "+who, op.do(f.Context(), f.as(who), name), fault.Denied)
			}
		}
		f.write("agent:a2", name, "ours", storage.Options{})
		f.wantText("agent:a2", name, "ours")
	}
	for _, name := range []string{"teams/../ta/x", "teams/t_a/x", "teams/.x/y"} {
		if err := f.as("agent:a1").Write(f.Context(), name, nil, storage.Options{}); err == nil {
			f.Errorf("Write(%q) gave no error", name)
		}
	}
}

// A right that was taken away is gone when the call that took it returns.
func revocation(f *fixture) {
	reader := f.candidate("agent:b1")
	h := f.as("agent:a1")
	f.write("agent:a1", "x", "secret", storage.Options{})
	for range 3 {
		if err := h.SetACL(f.Context(), "x", access.NewACL().With(reader, access.RightRead)); err != nil {
			f.Fatalf("SetACL: %v", err)
		}
		f.wantText("agent:b1", "x", "secret")
		acl, err := h.ACL(f.Context(), "x")
		if err != nil {
			f.Fatalf("ACL: %v", err)
		}
		if err := h.SetACL(f.Context(), "x", acl.Revoke(reader, access.RightRead)); err != nil {
			f.Fatalf("SetACL: %v", err)
		}
		_, err = f.as("agent:b1").Read(f.Context(), "x")
		f.wantKind("Read after the revocation", err, fault.Denied)
		f.wantText("agent:a1", "x", "secret")
	}
	plain, err := access.NewACLWithHash(access.PlainID)
	if err != nil {
		f.Fatal(err)
	}
	f.wantKind("SetACL with plain ids", h.SetACL(f.Context(), "x", plain), fault.Invalid)
	f.wantKind("Write with plain ids", h.Write(f.Context(), "y", nil, storage.Options{ACL: plain}), fault.Invalid)
}

// Of many who make an object at once, one becomes its owner and the others are refused.
func oneMaker(f *fixture) {
	whos := []string{"agent:a1", "agent:a2", "agent:b1", "user:u1", "agent:c1", "agent:c2", "agent:c3", "agent:c4"}
	errs := make([]error, len(whos))
	var wg sync.WaitGroup
	for i, who := range whos {
		wg.Go(func() { errs[i] = f.as(who).Write(f.Context(), "x", []byte(who), storage.Options{}) })
	}
	wg.Wait()
	owner := ""
	for i, err := range errs {
		switch {
		case err == nil && owner == "":
			owner = whos[i]
		case err == nil:
			f.Errorf("both %s and %s made the object", owner, whos[i])
		default:
			f.wantKind("Write as "+whos[i], err, fault.Denied)
		}
	}
	if owner == "" {
		f.Fatal("nobody could make the object")
	}
	f.wantText(owner, "x", owner)
}

// While an owner gives and takes a right, and makes the object anew, nobody succeeds after the call that took it
// returned, and nobody reads what was never given to them.
func race(f *fixture) {
	reader := f.candidate("agent:b1")
	const name = "x"
	f.write("agent:a1", name, "private", storage.Options{})
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
				_, err := f.as("agent:b1").Read(f.Context(), name)
				if !fault.Is(err, fault.Denied) && !fault.Is(err, fault.NotFound) {
					f.Errorf("Read without the right = %v, want a refusal", err)
				}
				mu.RUnlock()
				got, err := f.as("agent:b1").Read(f.Context(), name)
				if err == nil && string(got) != "shared" {
					f.Errorf("Read = %q, which was never given", got)
				}
			}
		})
	}
	h := f.as("agent:a1")
	for range 20 {
		mu.Lock()
		err := h.Write(f.Context(), name, []byte("shared"), storage.Options{})
		if err == nil {
			err = h.SetACL(f.Context(), name, access.NewACL().With(reader, access.RightRead))
		}
		if err == nil {
			err = h.SetACL(f.Context(), name, nil)
		}
		mu.Unlock()
		if err == nil {
			err = h.Write(f.Context(), name, []byte("private"), storage.Options{})
		}
		if err == nil {
			err = h.Delete(f.Context(), name)
		}
		if err == nil {
			err = h.Write(f.Context(), name, []byte("private"), storage.Options{})
		}
		if err != nil {
			f.Errorf("owner: %v", err)
			break
		}
	}
	close(stop)
	wg.Wait()
	synctest.Wait()
}
