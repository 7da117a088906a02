package localstorage

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/value"
)

// ownedByAgentA is the ACL that the reference stored for agent-a with read for team-a.
const ownedByAgentA = `h:xxh3|t:5c72bdee62ca5433/r|a:8d99dd9bc6c295e0/o`

func oldRig(t *testing.T) *rig {
	t.Helper()
	r := newRig(t, filepath.Join(t.TempDir(), "s"))
	r.put("local/teams/team-a.agent/agent-a/x/y.txt", "agent root")
	r.put(".local.metadata/teams/team-a.agent/agent-a/x/y.txt", `{"acl":"`+ownedByAgentA+`","ContentType":"text/plain","n":"5","o":"{\"a\":[1]}","raw":true}`)
	r.put(".local.metadata/README_IMPORTANT.txt", "do not touch")
	return r
}

const oldName = "teams/team-a.agent/agent-a/x/y.txt"

// Folders of the reference are read with the rights and metadata it stored.
func TestOldLayoutIsRead(t *testing.T) {
	t.Parallel()
	r := oldRig(t)
	r.wantText("agent:agent-a", oldName, "agent root")
	r.wantText("agent:agent-a2", oldName, "agent root") // by its team
	for _, who := range []string{"agent:agent-b", "team:team-b", "public"} {
		if _, err := r.as(who).Read(t.Context(), oldName); !fault.Is(err, fault.Denied) {
			t.Errorf("Read as %s = %v, want ACCESS_DENIED", who, err)
		}
	}
	if err := r.as("agent:agent-a2").Write(t.Context(), oldName, nil, storage.Options{}); !fault.Is(err, fault.Denied) {
		t.Errorf("Write as a reader = %v, want ACCESS_DENIED", err)
	}
	got, err := r.as("agent:agent-a").Metadata(t.Context(), oldName)
	want := value.Obj(value.M("ContentType", value.Of("text/plain")), value.M("n", value.OfInt(5)),
		value.M("o", value.Obj(value.M("a", value.List(value.OfInt(1))))), value.M("raw", value.OfBool(true)))
	if err != nil || !value.Equal(got, want) {
		t.Errorf("Metadata = %s, %v, want %s", got.JSON(), err, want.JSON())
	}
	info, err := r.as("agent:agent-a").Stat(t.Context(), oldName)
	if err != nil || info.Size != int64(len("agent root")) || info.Modified.IsZero() {
		t.Errorf("Stat = %+v, %v, want size and time of the file", info, err)
	}
	if _, err := r.as("agent:agent-a").Read(t.Context(), "teams/team-a.agent/agent-a/x"); !fault.Is(err, fault.NotFound) {
		t.Errorf("Read of a folder = %v, want NOT_FOUND", err)
	}
}

// Whatever changes an object of the reference makes it a record with the same rights, and the old files go.
func TestOldLayoutIsReplaced(t *testing.T) {
	t.Parallel()
	changes := map[string]struct {
		do   func(*storage.Handle, *rig) error
		want string // text afterwards, "" for none
	}{
		"write": {func(h *storage.Handle, r *rig) error {
			return h.Write(r.Context(), oldName, []byte("new"), storage.Options{})
		}, "new"},
		"metadata": {func(h *storage.Handle, r *rig) error {
			return h.SetMetadata(r.Context(), oldName, value.Obj(value.M("n", value.OfInt(6))))
		}, "agent root"},
		"acl": {func(h *storage.Handle, r *rig) error {
			acl, err := access.ParseACL(ownedByAgentA)
			if err != nil {
				return err
			}
			return h.SetACL(r.Context(), oldName, acl)
		}, "agent root"},
		"delete": {func(h *storage.Handle, r *rig) error { return h.Delete(r.Context(), oldName) }, ""},
	}
	for name, c := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := oldRig(t)
			if err := c.do(r.as("agent:agent-a"), r); err != nil {
				t.Fatal(err)
			}
			for _, file := range []string{"local/" + oldName, ".local.metadata/" + oldName} {
				if _, err := os.Stat(filepath.Join(r.dir, file)); !os.IsNotExist(err) {
					t.Errorf("%s is still there: %v", file, err)
				}
			}
			if c.want == "" {
				if got, err := r.as("agent:agent-a").Exists(t.Context(), oldName); err != nil || got {
					t.Errorf("Exists = %v, %v, want false", got, err)
				}
				return
			}
			r.wantText("agent:agent-a", oldName, c.want)
			r.wantText("agent:agent-a2", oldName, c.want)
			if _, err := r.as("agent:agent-b").Read(t.Context(), oldName); !fault.Is(err, fault.Denied) {
				t.Errorf("Read as a stranger = %v, want ACCESS_DENIED", err)
			}
		})
	}
}

// A record hides what the reference left under the same name, also when a crash kept the old files, and deleting it
// does not bring them to light.
func TestOldLayoutStaysHidden(t *testing.T) {
	t.Parallel()
	r := oldRig(t)
	r.write("agent:agent-a", oldName, "new")
	r.put("local/"+oldName, "agent root")
	r.put(".local.metadata/"+oldName, `{"acl":"`+ownedByAgentA+`"}`)
	r.wantText("agent:agent-a", oldName, "new")
	if list, err := r.as("agent:agent-a").List(t.Context(), "", storage.Page{}); err != nil || len(list.Objects) != 1 {
		t.Errorf("List = %+v, %v, want the object once", list.Objects, err)
	}
	if err := r.as("agent:agent-a").Delete(t.Context(), oldName); err != nil {
		t.Fatal(err)
	}
	if got, err := r.as("agent:agent-a").Exists(t.Context(), oldName); err != nil || got {
		t.Errorf("Exists after Delete = %v, %v, want false", got, err)
	}
}

// Listings give old and new objects in one order, each once, in pages of any size.
func TestOldLayoutIsListed(t *testing.T) {
	t.Parallel()
	r := oldRig(t)
	want := []string{oldName}
	for _, name := range []string{"a", "b-c", "b/a", "z"} {
		r.write("agent:agent-a", name, "new")
		want = append(want, name)
	}
	for _, name := range []string{"aa", "b/b", "b.c", "zz", "z"} {
		r.put("local/"+name, "old")
		r.put(".local.metadata/"+name, `{"acl":"`+ownedByAgentA+`"}`)
		if name != "z" {
			want = append(want, name)
		}
	}
	slices.Sort(want)
	for _, limit := range []int{1, 2, 100} {
		var got []string
		for after := ""; ; {
			list, err := r.as("agent:agent-a").List(t.Context(), "", storage.Page{After: after, Limit: limit})
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range list.Objects {
				got = append(got, o.Name)
			}
			if after = list.Next; after == "" {
				break
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d give %q, want %q", limit, got, want)
		}
	}
	if list, err := r.as("agent:agent-a").List(t.Context(), "b/", storage.Page{}); err != nil || len(list.Objects) != 2 {
		t.Errorf("List(b/) = %+v, %v, want two objects", list.Objects, err)
	}
}
