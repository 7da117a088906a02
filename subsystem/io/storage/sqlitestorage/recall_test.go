package sqlitestorage

import (
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/value"
)

// What a runtime remembers of an object is never an answer: what another one did to it in the meantime counts, for who may
// do something, for what is read and for what is replaced.
func TestT23_Remembered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		meanwhile func(other *rig) // by another runtime, after this one has read "x" for a and for b
		a, b      string           // what a and b read then; "" for nothing, "denied"
		write     string           // what becomes of a write by b: "ok", "denied"
	}{
		"nothing":      {func(*rig) {}, "first", "first", "ok"},
		"replaced":     {func(o *rig) { o.write("a", "x", "second") }, "second", "second", "ok"},
		"large":        {func(o *rig) { o.write("a", "x", text(chunkSize+1)) }, text(chunkSize + 1), text(chunkSize + 1), "ok"},
		"rights taken": {func(o *rig) { o.rights("x") }, "first", "denied", "denied"},
		"made again": {func(o *rig) {
			o.remove("x")
			o.write("a", "x", "another")
		}, "another", "denied", "denied"},
		"made by another": {func(o *rig) {
			o.remove("x")
			o.write("c", "x", "theirs")
		}, "denied", "denied", "denied"},
		"removed":        {func(o *rig) { o.remove("x") }, "", "", "ok"},
		"rights damaged": {func(o *rig) { o.exec("UPDATE object SET acl = ''") }, "denied", "denied", "denied"},
		"expired":        {func(o *rig) { o.expire("x") }, "", "", "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			r, other := newRig(t, dir), newRig(t, dir)
			o := storage.Options{ACL: access.NewACL().With(candidate(t, "b"), access.RightRead|access.RightWrite)}
			if err := r.as("a").Write(t.Context(), "x", []byte("first"), o); err != nil {
				t.Fatal(err)
			}
			for _, who := range []string{"a", "b"} {
				r.want(who, "x", "first")
			}
			if _, known := r.store.Recall("x"); !known {
				t.Fatal("nothing is remembered: this tests nothing")
			}
			c.meanwhile(other)
			for who, want := range map[string]string{"a": c.a, "b": c.b} {
				if want != "denied" {
					r.want(who, "x", want)
				} else if err := read(r, who, "x"); !fault.Is(err, fault.Denied) {
					t.Errorf("Read as %s = %v, want it denied", who, err)
				}
			}
			c.meanwhile(other) // what was read is remembered again
			before := *r.denied
			err := r.as("b").Write(t.Context(), "x", []byte("of b"), storage.Options{})
			if c.write == "ok" {
				r.want("b", "x", "of b")
				other.want("b", "x", "of b")
			}
			if denied := fault.Is(err, fault.Denied); denied != (c.write == "denied") || err != nil && !denied {
				t.Errorf("Write as b = %v, want %s", err, c.write)
			} else if n := *r.denied - before; denied && n != 1 {
				t.Errorf("%d denials were recorded, want 1", n)
			}
			if n := r.count("chunk"); n > 2 {
				t.Errorf("%d chunks are kept", n)
			}
		})
	}
}

// A body that can be read once is not spent on a try by what is remembered.
func TestRemembered_OnceBody(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, other := newRig(t, dir), newRig(t, dir)
	r.write("a", "x", "first")
	other.remove("x")
	other.write("a", "x", "second")
	once := struct{ *strings.Reader }{strings.NewReader("third")}
	if err := r.as("a").WriteFrom(t.Context(), "x", onlyReader{once}, storage.Options{}); err != nil {
		t.Errorf("WriteFrom = %v, want it stored", err)
	}
	other.want("a", "x", "third")
}

// onlyReader hides that a reader can seek.
type onlyReader struct {
	r interface{ Read([]byte) (int, error) }
}

func (o onlyReader) Read(p []byte) (int, error) { return o.r.Read(p) }

// What is large is not remembered.
func TestRemember_Bounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir())
	r.write("a", "x", "text")
	if err := r.as("a").SetMetadata(t.Context(), "x", value.Obj(value.M("m", value.Of(strings.Repeat("m", maxSeen))))); err != nil {
		t.Fatal(err)
	}
	r.want("a", "x", "text")
	if _, known := r.store.Recall("x"); known {
		t.Error("an object with large metadata is remembered")
	}
}

func candidate(t testing.TB, id string) access.Candidate {
	t.Helper()
	c, err := access.Agent(id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (r *rig) remove(name string) {
	r.Helper()
	if err := r.as("a").Delete(r.Context(), name); err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Denied) {
		r.Fatalf("Delete(%q): %v", name, err)
	}
}

// rights takes the rights of everybody but a.
func (r *rig) rights(name string) {
	r.Helper()
	if err := r.as("a").SetACL(r.Context(), name, access.NewACL()); err != nil {
		r.Fatalf("SetACL(%q): %v", name, err)
	}
}

// expire lets the time of an object pass.
func (r *rig) expire(name string) {
	r.Helper()
	if err := r.as("a").Expire(r.Context(), name, 1); err != nil && !fault.Is(err, fault.NotFound) {
		r.Fatalf("Expire(%q): %v", name, err)
	}
}
