package localnkv

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/value"
)

// oldFolder fills a folder as the reference does.
func oldFolder(r *rig) {
	r.put("team_a/ns/one", `{"n":1,"n":2}`)
	r.put("team_a/ns/two", `"text"`)
	r.put("team_a/vectorDB/pinecone/namespaces/x/datasources/ds1", `"{\"id\":\"ds1\"}"`)
	r.put("team_a/default/default", `null`)
	r.put("team_b/ns/one", `"of b"`)
}

// Files of the reference are read where they lie, also by listings, and looking changes none.
func TestReference_Read(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), nil)
	oldFolder(r)
	r.want("a", "ns", "one", `{"n":2}`)
	r.want("a", "ns", "two", `"text"`)
	r.want("a", "vectorDB:pinecone:namespaces:x:datasources", "ds1", `"{\"id\":\"ds1\"}"`)
	r.want("a", "default", "default", `null`)
	r.want("b", "ns", "one", `"of b"`)
	r.want("b", "ns", "two", "")
	r.want("c", "ns", "one", "")
	r.wantKeys("a", "ns", "one", "two")
	r.wantKeys("a", "vectorDB:pinecone:namespaces:x:datasources", "ds1")
	r.wantKeys("a", "vectorDB")
	r.wantKeys("b", "ns", "one")
	entries, err := os.ReadDir(r.dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("after looking there are %v, %v, want the two teams", entries, err)
	}
}

// A file of the reference belongs to one address; no other that the reference would take there meets it.
func TestReference_AddressesStandApart(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), nil)
	r.put("team_a/n/s/a/b", `"old"`)
	r.put("team_a/n.s/k.k", `"dotted"`)
	r.put("team_a/default/k", `"default"`)
	r.put("team_a/n:s/k", `"by hand"`) // no file of the reference
	r.want("a", "n:s:a", "b", `"old"`)
	r.want("a", "n.s", "k.k", `"dotted"`)
	r.want("a", "default", "k", `"default"`)
	others := [][2]string{
		{"n", "s:a:b"}, {"n:s", "a:b"}, {"n/s/a", "b"}, {"n:s/a", "b"}, {"n", "s/a/b"}, {"n::s:a", "b"}, {"n:s:a:", "b"}, {":n:s:a", "b"},
		{"n*s", "k.k"}, {"n.s", "k*k"}, {".n.s", "k.k"}, {"n.s", "k.k."}, {".", "k"}, {" ", "k"}, {"n:s", "k"}, {"n:s:A", "b"}, {"n:s:a", "B"},
	}
	for _, o := range others {
		if access.ValidKey(o[0]) == nil && access.ValidKey(o[1]) == nil {
			r.want("a", o[0], o[1], "")
			r.set("a", o[0], o[1], "new")
		}
	}
	r.want("a", "n:s:a", "b", `"old"`)
	r.want("a", "n.s", "k.k", `"dotted"`)
	r.want("a", "default", "k", `"default"`)
}

// A value that is stored anew or deleted leaves nothing of the reference behind that could come to light again.
func TestReference_Change(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), nil)
	oldFolder(r)
	r.set("a", "ns", "one", "new")
	r.want("a", "ns", "one", `"new"`)
	r.wantKeys("a", "ns", "one", "two")
	if _, err := os.Stat(filepath.Join(r.dir, "team_a", "ns", "one")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old file: %v, want it gone", err)
	}
	for _, key := range []string{"one", "two"} {
		if err := r.as("a").Delete(t.Context(), "ns", key); err != nil {
			t.Errorf("Delete: %v", err)
		}
		r.want("a", "ns", key, "")
	}
	r.wantKeys("a", "ns")
	r.set("b", "ns", "mine", "x")
	if err := r.as("b").DeleteAll(t.Context(), "ns"); err != nil {
		t.Errorf("DeleteAll: %v", err)
	}
	r.wantKeys("b", "ns")
	again := newRig(t, r.dir, nil)
	again.wantKeys("a", "ns")
	again.wantKeys("b", "ns")
	again.want("a", "default", "default", `null`)
}

// A record hides the file of the reference, also when the process ended before that was removed.
func TestReference_Hidden(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), nil)
	r.set("a", "ns", "one", "new")
	r.put("team_a/ns/one", `"old"`)
	again := newRig(t, r.dir, nil)
	again.want("a", "ns", "one", `"new"`)
	again.wantKeys("a", "ns", "one")
	if err := again.as("a").Delete(t.Context(), "ns", "one"); err != nil {
		t.Errorf("Delete: %v", err)
	}
	again.want("a", "ns", "one", "")
	newRig(t, r.dir, nil).want("a", "ns", "one", "")
}

// Another process may store a value anew between two steps of a reader.
func TestReference_MovedMeanwhile(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), nil)
	r.put("team_a/ns/one", `"old"`)
	r.want("a", "ns", "one", `"old"`) // it knows the file by now
	newRig(t, r.dir, nil).set("a", "ns", "one", "new")
	r.want("a", "ns", "one", `"new"`)
	r.wantKeys("a", "ns", "one")
	if err := newRig(t, r.dir, nil).as("a").Delete(t.Context(), "ns", "one"); err != nil {
		t.Fatal(err)
	}
	r.want("a", "ns", "one", "")
	r.wantKeys("a", "ns")
	if err := r.as("a").Delete(t.Context(), "ns", "one"); err != nil {
		t.Errorf("Delete of what another deleted: %v", err)
	}
}

// A file of the reference that cannot be understood is an error that names it; others go on, and it can be stored anew.
func TestF06_DamagedReference(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"empty": "", "cut": `{"n":`, "text": "plain text", "binary": "\x00\xff\xfe", "two": `1 2`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, t.TempDir(), nil)
			oldFolder(r)
			r.put("team_a/ns/bad", text)
			if got, ok, err := r.as("a").Get(t.Context(), "ns", "bad"); ok || fault.CodeOf(err) != nkv.CodeDamaged || !strings.Contains(err.Error(), `"bad"`) {
				t.Errorf("Get = %s, %v, %v, want %s with the key", got.JSON(), ok, err, nkv.CodeDamaged)
			}
			r.wantKeys("a", "ns", "one", "two")
			r.set("a", "ns", "bad", "mended")
			r.want("a", "ns", "bad", `"mended"`)
			r.wantKeys("a", "ns", "bad", "one", "two")
		})
	}
}

// Every file of the reference has one address, and every address that has a file has one.
func FuzzOldAddress(f *testing.F) {
	for _, s := range []string{"team_a/ns/k", "team_a/b/c/d", "team_a/k", "team_/ns/k", "team_a//k", "x/ns/k", "team_a/n:s/k", "team_a/ns/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, file string) {
		if disk.ValidName(file) != nil {
			return
		}
		at, ok := oldAddress(file)
		if ok && oldFile(at) != file {
			t.Errorf("oldFile(oldAddress(%q)) = %q, want it back", file, oldFile(at))
		}
		if ok && (at.Team == "" || at.Namespace == "" || at.Key == "" || strings.Contains(at.Key, "/")) {
			t.Errorf("oldAddress(%q) = %+v", file, at)
		}
	})
}

// Whatever stands in a file, reading it as a record ends without a panic, and what is read writes back the same.
func FuzzDecode(f *testing.F) {
	at := nkv.Address{Team: "a", Namespace: "ns", Key: "k"}
	for _, text := range []string{`null`, `{"a":[1,"x"]}`, `""`} {
		v, err := value.Parse(text)
		if err != nil {
			f.Fatal(err)
		}
		b, err := encode(at, v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)-1])
	}
	f.Add([]byte(magic))
	f.Add([]byte(magic + "\xff\xff\xff\xff\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		at, v, err := decode(b)
		if err != nil {
			return
		}
		again, err := encode(at, v)
		if err != nil {
			t.Fatalf("encode of what was read: %v", err)
		}
		at2, v2, err := decode(again)
		if err != nil || at2 != at || v2.JSON() != v.JSON() {
			t.Errorf("written back = %+v, %s, %v, want %+v, %s", at2, v2.JSON(), err, at, v.JSON())
		}
	})
}
