package localstorage

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/value"
)

// operations tries everything a handle can do with a name and returns what came of it.
func operations(r *rig, h *storage.Handle, name string) map[string]error {
	ctx := r.Context()
	_, read := h.Read(ctx, name)
	_, stat := h.Stat(ctx, name)
	_, exists := h.Exists(ctx, name)
	_, acl := h.ACL(ctx, name)
	return map[string]error{
		"read": read, "stat": stat, "exists": exists, "acl": acl,
		"write":    h.Write(ctx, name, []byte("taken over"), storage.Options{}),
		"metadata": h.SetMetadata(ctx, name, value.Obj()),
		"set-acl":  h.SetACL(ctx, name, nil),
		"delete":   h.Delete(ctx, name),
	}
}

// A record whose header is lost, cut off, garbled or that of another object is refused to everybody, its former owner
// included, by every operation, with one audit record each. Other objects go on.
func TestT14_BrokenRecord(t *testing.T) {
	t.Parallel()
	r := newRig(t, filepath.Join(t.TempDir(), "s"))
	r.write("agent:agent-a", "whole", "other")
	r.write("agent:agent-a", "x", "secret body")
	file := filepath.Join(r.dir, objectsFolder, fileOf("x"))
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	bodyAt := len(good) - trailerSize - sumSize - len("secret body")
	damage := map[string][]byte{"empty": {}, "garbage": []byte("garbage garbage garbage garbage garbage"), "zeros": make([]byte, len(good))}
	for _, n := range []int{1, len(magic), headerStart, headerStart + 10, bodyAt - 4, bodyAt - 1} {
		damage["cut at "+value.FormatNumber(float64(n))] = good[:n]
	}
	for i := 0; i < bodyAt; i += 7 {
		flipped := append([]byte(nil), good...)
		flipped[i] ^= 4
		damage["bit flipped at "+value.FormatNumber(float64(i))] = flipped
	}
	whole, err := os.ReadFile(filepath.Join(r.dir, objectsFolder, fileOf("whole")))
	if err != nil {
		t.Fatal(err)
	}
	damage["another record"] = whole
	for name, data := range damage {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, who := range []string{"agent:agent-a", "agent:agent-b", "team:team-a"} {
			*r.denied = 0
			results := operations(r, r.as(who), "x")
			for op, err := range results {
				if !fault.Is(err, fault.Denied) {
					t.Errorf("%s: %s as %s = %v, want ACCESS_DENIED", name, op, who, err)
				}
			}
			if *r.denied != len(results) {
				t.Errorf("%s: %d audit records as %s, want %d", name, *r.denied, who, len(results))
			}
		}
		got, err := os.ReadFile(file)
		if err != nil || string(got) != string(data) {
			t.Errorf("%s: the file was changed", name)
		}
		list, err := r.as("agent:agent-a").List(t.Context(), "", storage.Page{})
		if err != nil || len(list.Objects) != 1 || list.Objects[0].Name != "whole" {
			t.Errorf("%s: List = %+v, %v, want the other object only", name, list.Objects, err)
		}
	}
	r.wantText("agent:agent-a", "whole", "other")
}

// A body that is cut or garbled is noticed by who reads it, and never passes for the whole.
func TestT14_BrokenBody(t *testing.T) {
	t.Parallel()
	r := newRig(t, filepath.Join(t.TempDir(), "s"))
	r.write("agent:agent-a", "x", "a body of some length")
	file := filepath.Join(r.dir, objectsFolder, fileOf("x"))
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	bodyAt := len(good) - trailerSize - sumSize - len("a body of some length")
	for i := bodyAt; i < len(good); i++ {
		flipped := append([]byte(nil), good...)
		flipped[i] ^= 1
		for what, data := range map[string][]byte{"flipped": flipped, "cut": good[:i], "longer": append(append([]byte(nil), good[:i]...), good[bodyAt:]...)} {
			if what == "longer" && i == bodyAt {
				continue // that is the whole
			}
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := r.as("agent:agent-a").Read(t.Context(), "x")
			if err == nil {
				t.Errorf("%s at %d: Read = %q, want an error", what, i, got)
			}
		}
	}
}

// An object of which a link, a folder or a FIFO took the place is nobody's, and what a link points to stays.
func TestT12_Symlinks(t *testing.T) {
	t.Parallel()
	r := newRig(t, filepath.Join(t.TempDir(), "s"))
	sentinel := filepath.Join(filepath.Dir(r.dir), "sentinel")
	if err := os.WriteFile(sentinel, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	outside := t.TempDir()
	links := map[string]string{"objects/x.obj": sentinel, "objects/d.d": outside, "local/old": sentinel, "local/dir": outside, ".local.metadata/old": sentinel}
	for link, target := range links {
		p := filepath.Join(r.dir, filepath.FromSlash(link))
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, p); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"x", "d/new", "old", "dir/new"} {
		for op, err := range operations(r, r.as("agent:agent-a"), name) {
			if !fault.Is(err, fault.Denied) {
				t.Errorf("%s of %q = %v, want ACCESS_DENIED", op, name, err)
			}
		}
	}
	if got, err := os.ReadFile(sentinel); err != nil || string(got) != "secret" {
		t.Errorf("sentinel = %q, %v, want it untouched", got, err)
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 0 {
		t.Errorf("outside holds %v, %v, want nothing", entries, err)
	}
	list, err := r.as("agent:agent-a").List(t.Context(), "", storage.Page{})
	if err != nil || len(list.Objects) != 0 {
		t.Errorf("List = %+v, %v, want nothing", list, err)
	}
}

// Metadata of the reference that is lost or broken makes an object nobody's.
func TestT14_BrokenOldMetadata(t *testing.T) {
	t.Parallel()
	r := newRig(t, filepath.Join(t.TempDir(), "s"))
	r.put("local/lost", "secret")
	for name, text := range map[string]string{
		"empty": "", "cut": `{"acl":"h:xxh3|a:8d99dd9bc6`, "no-acl": `{"ContentType":"text/plain"}`, "number": `{"acl":1}`, "array": `["acl"]`,
		"hash": `{"acl":"h:md5|a:8d99dd9bc6c295e0/o"}`, "role": `{"acl":"h:xxh3|z:8d99dd9bc6c295e0/o"}`, "two": `{"acl":"h:xxh3|a:8d99dd9bc6c295e0/o","acl":"h:xxh3"}`,
	} {
		r.put("local/"+name, "secret")
		r.put(".local.metadata/"+name, text)
	}
	r.put("local/none-given", "secret")
	r.put(".local.metadata/none-given", `{"acl":"h:xxh3"}`)
	for _, name := range []string{"lost", "empty", "cut", "no-acl", "number", "array", "hash", "role", "two", "none-given"} {
		for op, err := range operations(r, r.as("agent:agent-a"), name) {
			if !fault.Is(err, fault.Denied) {
				t.Errorf("%s of %q = %v, want ACCESS_DENIED", op, name, err)
			}
		}
	}
	list, err := r.as("agent:agent-a").List(t.Context(), "", storage.Page{})
	if err != nil || len(list.Objects) != 0 {
		t.Errorf("List = %+v, %v, want nothing", list, err)
	}
}

// Whatever stands in a file, reading it as a record ends without a panic, and what is read writes back the same.
func FuzzReadHeader(f *testing.F) {
	c, err := access.Agent("agent-a")
	if err != nil {
		f.Fatal(err)
	}
	for _, body := range []string{"", "body"} {
		var b writer
		h := header{Record: storage.Record{ACL: access.OwnedBy(c), Metadata: value.Obj(value.M("k", value.Of("v")))}, name: "a/b", generation: "g"}
		if err := writeRecord(&b, h, io.LimitReader(&zeros{}, int64(len(body)))); err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(b))
	}
	f.Add([]byte(magic))
	f.Add([]byte(magic + "\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		in := writer(data)
		h, p, err := readHeader(&in, int64(len(data)))
		if err != nil {
			return
		}
		body, err := bodyOf(p, data)
		if err != nil && fault.CodeOf(err) != storage.CodeDamaged {
			t.Errorf("body = %v, want %s", err, storage.CodeDamaged)
		}
		if err != nil {
			return
		}
		var out writer
		if err := writeRecord(&out, h, (*writer)(&body)); err != nil {
			t.Fatal(err)
		}
		again, _, err := readHeader(&out, int64(len(out)))
		if err != nil || again.name != h.name || again.generation != h.generation || again.ACL.String() != h.ACL.String() || !value.Equal(again.Metadata, h.Metadata) {
			t.Errorf("written back = %+v, %v, want %+v", again, err, h)
		}
	})
}

// bodyOf reads the body of a record.
func bodyOf(p place, data []byte) ([]byte, error) {
	file := bytes.NewReader(data)
	size, err := p.bodySize(file)
	if err != nil {
		return nil, err
	}
	if p.oneSum {
		return io.ReadAll(newOldBody(file, p, size))
	}
	return io.ReadAll(newBlockReader(file, p, size, 0, size))
}

// writer is bytes that are written to the end and read from the start.
type writer []byte

func (w *writer) Write(p []byte) (int, error) { *w = append(*w, p...); return len(p), nil }

func (w *writer) Read(p []byte) (int, error) {
	if len(*w) == 0 {
		return 0, io.EOF
	}
	n := copy(p, *w)
	*w = (*w)[n:]
	return n, nil
}

type zeros struct{}

func (*zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func FuzzNames(f *testing.F) {
	for _, s := range []string{"a", "a/b", "a.d/b.obj", "x.obj", "a.obj.d/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if storage.ValidName(text) == nil {
			if got, ok := nameOf(fileOf(text)); !ok || got != text {
				t.Errorf("nameOf(fileOf(%q)) = %q, %v, want it back", text, got, ok)
			}
		}
		if name, ok := nameOf(text); ok && fileOf(name) != text {
			t.Errorf("fileOf(nameOf(%q)) = %q, want it back", text, fileOf(name))
		}
	})
}

func FuzzDecodeOld(f *testing.F) {
	f.Add([]byte(`{"acl":"h:xxh3|t:8d538d4ba3e543f9/r|a:8d99dd9bc6c295e0/o","ContentType":"text/plain","n":"5","o":"{\"a\":1}"}`))
	f.Add([]byte(`{"acl":""}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, text []byte) {
		h, err := decodeOld(text)
		switch {
		case err == nil && (h.ACL == nil || h.Metadata.Has("acl") || h.generation == ""):
			t.Errorf("decodeOld gave %+v", h)
		case err != nil && fault.CodeOf(err) != storage.CodeDamaged:
			t.Errorf("decodeOld = %v, want %s", err, storage.CodeDamaged)
		}
	})
}

var errBroken = errors.New("cable pulled")

// An error of a body that breaks off is not taken for damage of the store.
func TestWriteRecordBrokenBody(t *testing.T) {
	t.Parallel()
	var out writer
	h := header{Record: storage.Record{ACL: access.NewACL(), Metadata: value.Obj()}, name: "x", generation: "g"}
	if err := writeRecord(&out, h, io.MultiReader(io.LimitReader(&zeros{}, 5), broken{})); !errors.Is(err, errBroken) {
		t.Errorf("writeRecord = %v, want %v", err, errBroken)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBroken }
