package sqlitestorage

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/value"
)

// When the disk is full, a write says so, wherever in it the disk is full; what was acknowledged is there, no half object
// shows, reading and deleting go on, and with room writes work again without a restart.
func TestF04_FullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := newRig(t, dir)
	r.write("a", "first", "kept")
	r.write("a", "victim", text(chunkSize))
	var pages int
	if err := r.store.db.Row(t.Context(), "PRAGMA page_count", nil, &pages); err != nil {
		t.Fatal(err)
	}
	large := text(2*batchSize + chunkSize)
	for extra := 1; extra < 2000; extra += 150 {
		r.exec(fmt.Sprint("PRAGMA max_page_count = ", pages+extra))
		for _, name := range []string{"first", "new"} {
			err := r.as("a").Write(t.Context(), name, []byte(large), storage.Options{})
			if fault.CodeOf(err) != sqlite.CodeFull || !fault.Is(err, fault.Unavailable) {
				t.Errorf("Write(%q) with room for %d pages = %v, want UNAVAILABLE with %s", name, extra, err, sqlite.CodeFull)
			}
		}
		r.want("a", "first", "kept")
		r.want("a", "new", "")
	}
	r.exec(fmt.Sprint("PRAGMA max_page_count = ", pages+150))
	stored := 0
	for ; stored < 100; stored++ {
		if err := r.as("a").Write(t.Context(), fmt.Sprint("k", stored), []byte(text(500_000)), storage.Options{}); err != nil {
			break
		}
	}
	if stored == 0 || stored == 100 {
		t.Errorf("%d objects were stored before the disk was full, want some", stored)
	}
	for i := range stored {
		r.want("a", fmt.Sprint("k", i), text(500_000))
	}
	if err := r.as("a").Delete(t.Context(), "victim"); err != nil {
		t.Errorf("Delete on a full disk: %v", err)
	}
	r.write("a", "into the room", text(20_000))
	r.exec("PRAGMA max_page_count = 1000000")
	r.write("a", "new", large)
	r.close()
	again := newRig(t, dir)
	again.want("a", "new", large)
	again.want("a", "first", "kept")
	again.wantDamaged()
}

// wantDamaged checks what Verify finds.
func (r *rig) wantDamaged(want ...string) {
	r.Helper()
	var got []string
	for name, err := range r.service.Verify(r.Context()) {
		if fault.CodeOf(err) != storage.CodeDamaged {
			r.Errorf("Verify gave %q, %v, want %s", name, err, storage.CodeDamaged)
		}
		got = append(got, name)
	}
	if !slices.Equal(got, want) {
		r.Errorf("Verify found %q, want %q", got, want)
	}
}

// What is done to the row of an object is found by who reads it and by Verify, and touches no other object. Where the
// rights are damaged nobody gets in; elsewhere the owner can put something in its place.
func TestF06_DamagedRow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		damage string
		rights bool
	}{
		"generation":              {"UPDATE object SET generation = 'x' WHERE name = 'k'", true},
		"ACL":                     {"UPDATE object SET acl = (SELECT acl FROM object WHERE name = 'of-b') WHERE name = 'k'", true},
		"empty ACL":               {"UPDATE object SET acl = '' WHERE name = 'k'", true},
		"checksum of the rights":  {"UPDATE object SET rights = rights + 1 WHERE name = 'k'", true},
		"rights of another":       {"UPDATE object SET (generation, acl, rights) = (SELECT generation, acl, rights FROM object WHERE name = 'of-b') WHERE name = 'k'", true},
		"expiry":                  {"UPDATE object SET expires = 1 WHERE name = 'k'", true},
		"row of another":          {"DELETE FROM object WHERE name = 'k'; UPDATE object SET name = 'k' WHERE name = 'l'", true},
		"size":                    {"UPDATE object SET size = size - 1 WHERE name = 'k'", false},
		"huge size":               {"UPDATE object SET size = 1 << 62 WHERE name = 'k'", false},
		"negative size":           {"UPDATE object SET size = -5 WHERE name = 'k'", false},
		"time":                    {"UPDATE object SET modified = modified + 1 WHERE name = 'k'", false},
		"bytes of another":        {"UPDATE object SET blob = (SELECT blob FROM object WHERE name = 'of-b') WHERE name = 'k'", false},
		"metadata":                {"UPDATE object SET metadata = '{\"k\":2}' WHERE name = 'k'", false},
		"checksum of the content": {"UPDATE object SET content = content + 1 WHERE name = 'k'", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, t.TempDir())
			for _, name := range []string{"j", "k", "l", "m"} {
				r.write("a", name, "text of "+name)
			}
			r.write("b", "of-b", "text of b")
			for stmt := range strings.SplitSeq(c.damage, ";") {
				r.exec(stmt)
			}
			for op, err := range map[string]error{"Read": read(r, "a", "k"), "Stat": stat(r, "a", "k"), "Read as b": read(r, "b", "k")} {
				if want := c.rights || op == "Read as b"; want && !fault.Is(err, fault.Denied) || !want && fault.CodeOf(err) != storage.CodeDamaged {
					t.Errorf("%s = %v, want ACCESS_DENIED %v, %s otherwise", op, err, want, storage.CodeDamaged)
				}
			}
			r.wantDamaged("k")
			for _, limit := range []int{1, 10} {
				if got := r.names("a", limit); slices.Contains(got, "k") || !slices.Contains(got, "j") || !slices.Contains(got, "m") {
					t.Errorf("List by %d = %q, want the others", limit, got)
				}
			}
			r.want("a", "j", "text of j")
			r.want("b", "of-b", "text of b")
			err := r.as("a").Delete(t.Context(), "k")
			if c.rights != fault.Is(err, fault.Denied) || !c.rights && err != nil {
				t.Errorf("Delete = %v, want it denied: %v", err, c.rights)
			}
			if err := r.store.clean(t.Context()); err != nil {
				t.Errorf("clean = %v", err)
			}
			r.want("a", "m", "text of m")
			r.want("b", "of-b", "text of b")
		})
	}
}

func read(r *rig, who, name string) error { _, err := r.as(who).Read(r.Context(), name); return err }
func stat(r *rig, who, name string) error { _, err := r.as(who).Stat(r.Context(), name); return err }

func (r *rig) names(who string, limit int) (names []string) {
	r.Helper()
	for page := (storage.Page{Limit: limit}); ; {
		l, err := r.as(who).List(r.Context(), "", page)
		if err != nil {
			r.Fatalf("List: %v", err)
		}
		for _, o := range l.Objects {
			names = append(names, o.Name)
		}
		if page.After = l.Next; l.Next == "" {
			return names
		}
	}
}

// What is done to a chunk is met by who reads it and by nobody else, and no chunk passes for another one.
func TestF06_DamagedChunk(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"flipped":  "UPDATE chunk SET data = CAST(zeroblob(100) || substr(data, 101) AS BLOB) WHERE id = $1",
		"zeros":    "UPDATE chunk SET data = zeroblob(length(data)) WHERE id = $1",
		"cut":      "UPDATE chunk SET data = substr(data, 1, length(data) - 1) WHERE id = $1",
		"empty":    "UPDATE chunk SET data = x'' WHERE id = $1",
		"longer":   "UPDATE chunk SET data = CAST(data || x'00' AS BLOB) WHERE id = $1",
		"lost":     "DELETE FROM chunk WHERE id = $1",
		"checksum": "UPDATE chunk SET sum = sum + 1 WHERE id = $1",
		"twice":    "UPDATE chunk SET (sum, data) = (SELECT sum, data FROM chunk WHERE id = $1 - 1) WHERE id = $1",
		"foreign":  "UPDATE chunk SET (sum, data) = (SELECT sum, data FROM chunk WHERE id = (2 << 20) + 1) WHERE id = $1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, t.TempDir())
			body := text(3*chunkSize + 100)
			r.write("a", "k", body)
			r.write("b", "other", strings.ToUpper(body))
			r.exec(strings.ReplaceAll(damage, "$1", fmt.Sprint(chunkID(1, 1))))
			for n := range 4 {
				at := int64(n*chunkSize + 10)
				o, err := r.as("a").OpenRange(t.Context(), "k", at, 50)
				if err != nil {
					t.Fatal(err)
				}
				got := make([]byte, 50)
				_, err = o.Body.Read(got)
				if n == 1 && fault.CodeOf(err) != storage.CodeDamaged {
					t.Errorf("chunk %d gave %q, %v, want %s", n, got, err, storage.CodeDamaged)
				}
				if n != 1 && (err != nil || string(got) != body[at:at+50]) {
					t.Errorf("chunk %d gave %q, %v, want what was stored", n, got, err)
				}
				if err := o.Body.Close(); err != nil {
					t.Error(err)
				}
			}
			r.wantDamaged("k")
			r.want("b", "other", strings.ToUpper(body))
			r.write("a", "k", "mended")
			r.want("a", "k", "mended")
			r.wantDamaged()
		})
	}
}

// A damaged note about chunks that can go, or a damaged counter, costs no object its bytes.
func TestF06_DamagedNotes(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir())
	body := text(manyBytes + batchSize)
	for _, name := range []string{"x", "y"} {
		r.write("a", name, body)
	}
	o, err := r.as("a").Open(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.as("a").Delete(t.Context(), "x"); err != nil { // its chunks stay for the reader
		t.Fatal(err)
	}
	if err := o.Body.Close(); err != nil {
		t.Fatal(err)
	}
	r.exec("UPDATE loose SET blob = (SELECT blob FROM object WHERE name = 'y')")
	r.exec("UPDATE counter SET last = 0")
	if err := r.store.clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.want("a", "y", body)
	r.close()
	again := newRig(t, r.dir)
	for i := range 3 {
		again.write("a", fmt.Sprint("new", i), "after the counter was damaged")
	}
	again.want("a", "y", body)
	again.wantDamaged()
	again.exec("UPDATE counter SET last = 1 << 61")
	again.close()
	last := newRig(t, r.dir)
	if err := last.as("a").Write(t.Context(), "z", []byte("z"), storage.Options{}); fault.CodeOf(err) != storage.CodeDamaged {
		t.Errorf("Write with a counter at its end = %v, want %s", err, storage.CodeDamaged)
	}
	last.want("a", "y", body)
}

// A record that lost its rights is refused to everybody by every operation, with one audit record each.
func TestT14_BrokenRights(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir())
	r.write("a", "x", "secret")
	r.exec("UPDATE object SET acl = replace(acl, 'a', 'b')")
	for _, who := range []string{"a", "b"} {
		h, ctx := r.as(who), t.Context()
		_, exists := h.Exists(ctx, "x")
		_, acl := h.ACL(ctx, "x")
		ops := map[string]error{
			"read": read(r, who, "x"), "stat": stat(r, who, "x"), "exists": exists, "acl": acl, "write": h.Write(ctx, "x", []byte("taken"), storage.Options{}),
			"metadata": h.SetMetadata(ctx, "x", value.Obj()), "set-acl": h.SetACL(ctx, "x", access.NewACL()), "delete": h.Delete(ctx, "x"),
		}
		for op, err := range ops {
			if !fault.Is(err, fault.Denied) {
				t.Errorf("%s as %s = %v, want ACCESS_DENIED", op, who, err)
			}
		}
		if *r.denied != len(ops) {
			t.Errorf("%d audit records as %s, want %d", *r.denied, who, len(ops))
		}
		*r.denied = 0
	}
	if n := r.count("object"); n != 1 {
		t.Errorf("%d objects, want the damaged one to stay", n)
	}
}

// A file that is no database is an error that tells of the damage, and is left as it is.
func TestF06_DamagedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "storage.db")
	garbage := strings.Repeat("no database ", 1000)
	if err := os.WriteFile(file, []byte(garbage), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, dir)
	_, list := r.as("a").List(t.Context(), "", storage.Page{})
	for op, err := range map[string]error{"Read": read(r, "a", "x"), "Write": r.as("a").Write(t.Context(), "x", nil, storage.Options{}), "List": list} {
		if err == nil {
			t.Errorf("%s gave no error", op)
		}
	}
	r.wantDamaged("")
	if got, err := os.ReadFile(file); err != nil || string(got) != garbage {
		t.Errorf("the file was changed: %v", err)
	}
}

// Whichever byte of the file is flipped, nobody gets bytes that were not stored under the name, or an object of another.
func TestF06_FlippedBytes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := newRig(t, dir)
	texts := map[string]string{}
	for i := range 4 {
		for _, who := range []string{"a", "b"} {
			name := fmt.Sprint(who, i)
			texts[name] = text(100+i) + name
			first.write(who, name, texts[name])
		}
	}
	first.close()
	good, err := os.ReadFile(filepath.Join(dir, "storage.db"))
	if err != nil {
		t.Fatal(err)
	}
	refused, given := 0, 0
	for at := 0; at < len(good); at += 131 {
		bad := slices.Clone(good)
		bad[at] ^= 0x2a
		place := t.TempDir()
		if err := os.WriteFile(filepath.Join(place, "storage.db"), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		r := newRig(t, place)
		for _, name := range slices.Sorted(maps.Keys(texts)) {
			got, err := r.as(name[:1]).Read(t.Context(), name)
			switch {
			case err != nil:
				refused++
			case string(got) != texts[name]:
				t.Errorf("byte %d: Read(%q) = %q", at, name, got)
			default:
				given++
			}
			stranger := map[string]string{"a": "b", "b": "a"}[name[:1]]
			if got, err := r.as(stranger).Read(t.Context(), name); err == nil {
				t.Errorf("byte %d: Read(%q) as %s = %q", at, name, stranger, got)
			}
		}
	}
	if refused == 0 || given == 0 {
		t.Errorf("%d objects were refused and %d given, want some of both", refused, given)
	}
}

// What was acknowledged is there after a sudden end: the files as they are at that moment are enough.
func TestF01_SuddenEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := newRig(t, dir)
	r.write("a", "large", text(batchSize+100))
	for round := range 10 {
		r.write("a", "last", fmt.Sprint("round ", round))
		u := r.upload()
		if err := u.fill(); err != nil {
			t.Fatal(err)
		}
		if err := r.store.stage(t.Context(), u); err != nil { // a write that will never end
			t.Fatal(err)
		}
		place := t.TempDir()
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			text, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err == nil && !strings.HasSuffix(e.Name(), "-shm") { // memory of the processes, which ends with them
				err = os.WriteFile(filepath.Join(place, e.Name()), text, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		after := newRig(t, place)
		after.want("a", "last", fmt.Sprint("round ", round))
		after.want("a", "large", text(batchSize+100))
		after.wantDamaged()
	}
}
