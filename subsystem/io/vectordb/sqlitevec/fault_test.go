package sqlitevec

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/access/accesstest"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/io/vectordb"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// rig is a store under its service, as the agent a1.
type rig struct {
	testing.TB
	store *store
	h     *vectordb.Handle
}

func newRig(t testing.TB, dir string, dimensions int) *rig {
	t.Helper()
	env := connector.Env{Dir: dir, Effects: effect.System{}, Events: &event.Bus{}}
	conn, err := Definition().Open(t.Context(), env, value.Obj(value.M("embeddings", value.Obj(value.M("dimensions", value.OfInt(dimensions))))))
	if err != nil {
		t.Fatal(err)
	}
	in := connector.Instances[vectordb.Connector]{Default: "it", ByID: map[string]vectordb.Connector{"it": conn.(vectordb.Connector)}}
	c, err := access.Agent("a1")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{TB: t, store: conn.(*store), h: vectordb.New(env, in, accesstest.TwoTeams(), letters).For(c)}
	t.Cleanup(r.close)
	return r
}

func (r *rig) close() {
	r.Helper()
	if err := r.store.Close(context.Background()); err != nil {
		r.Errorf("Close: %v", err)
	}
}

// letters makes vectors that count the bytes of texts.
func letters(_ context.Context, _ access.Candidate, req llm.EmbedRequest) (llm.Embeddings, error) {
	var out llm.Embeddings
	for _, text := range req.Texts {
		v := make([]float32, req.Dimensions)
		for _, c := range []byte(text) {
			v[int(c)%len(v)]++
		}
		out.Vectors = append(out.Vectors, v)
	}
	return out, nil
}

func (r *rig) create() {
	r.Helper()
	if err := r.h.CreateNamespace(r.Context(), "n", value.Value{}); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) insert(id, text string) {
	r.Helper()
	if _, err := r.h.Insert(r.Context(), "n", vectordb.Document{ID: id, Text: text}); err != nil {
		r.Fatalf("Insert(%q): %v", id, err)
	}
}

// want checks the nearest text to a query and what is kept of its source.
func (r *rig) want(id, text string) {
	r.Helper()
	list, err := r.h.Search(r.Context(), "n", text, vectordb.SearchOptions{TopK: 1})
	if err != nil || len(list) != 1 || list[0].Source != id || list[0].Text != text {
		r.Errorf("Search(%q) = %+v, %v, want it in %q", text, list, err, id)
	}
	if s, ok, err := r.h.Source(r.Context(), "n", id); err != nil || !ok || s.Text != text {
		r.Errorf("Source(%q) = %+v, %t, %v", id, s, ok, err)
	}
}

// exec changes the database behind the back of the connector.
func (r *rig) exec(stmt string) {
	r.Helper()
	if _, err := r.store.db.Exec(r.Context(), stmt); err != nil {
		r.Fatal(err)
	}
}

// A runtime leaves no trace where it only looks, and after a restart everything is there.
func TestRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := newRig(t, dir, 16)
	if _, ok, err := r.h.Namespace(t.Context(), "n"); ok || err != nil {
		t.Errorf("Namespace = %t, %v, want none", ok, err)
	}
	if list, err := r.h.Namespaces(t.Context(), vectordb.Page{}); err != nil || len(list.Items) != 0 {
		t.Errorf("Namespaces = %+v, %v, want none", list, err)
	}
	if _, err := r.h.Search(t.Context(), "n", "x", vectordb.SearchOptions{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("Search = %v, want no namespace", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("looking made %v (%v)", entries, err)
	}
	r.create()
	r.insert("a", "apple")
	r.insert("b", "zebra")
	r.close()
	info, err := os.Stat(filepath.Join(dir, "vectors.db"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v (%v), want 0600", info.Mode(), err)
	}
	again := newRig(t, dir, 99) // what is configured counts for namespaces to come
	again.want("a", "apple")
	again.want("b", "zebra")
}

// Two runtimes over one file see what the other has done.
func TestTwoRuntimes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, other := newRig(t, dir, 16), newRig(t, dir, 16)
	r.create()
	other.insert("a", "apple")
	r.want("a", "apple")
	r.insert("a", "banana")
	other.want("a", "banana")
	r.insert("a", "cherry")
	other.want("a", "cherry") // and not what it has in memory
	if err := r.h.Delete(t.Context(), "n", "a"); err != nil {
		t.Fatal(err)
	}
	if list, err := other.h.Search(t.Context(), "n", "cherry", vectordb.SearchOptions{}); err != nil || len(list) != 0 {
		t.Errorf("after another has deleted it Search = %+v, %v", list, err)
	}
	if err := other.h.DeleteNamespace(t.Context(), "n"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.h.Insert(t.Context(), "n", vectordb.Document{Text: "x"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("Insert into a namespace that another has deleted = %v", err)
	}
	for _, table := range []string{"namespace", "source", "chunk"} {
		var n int
		if err := r.store.db.Row(t.Context(), "SELECT count(*) FROM "+table, nil, &n); err != nil || n != 0 {
			t.Errorf("%d rows are left in %s (%v)", n, table, err)
		}
	}
}

// When the disk is full, Insert says so; nothing of it is there, what was is, and with room it works again.
func TestF04_FullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := newRig(t, dir, 256)
	r.create()
	r.insert("first", "kept")
	r.exec("PRAGMA max_page_count = 60")
	long := strings.Repeat("words ", 20_000)
	for _, id := range []string{"first", "new"} {
		_, err := r.h.Insert(t.Context(), "n", vectordb.Document{ID: id, Text: long})
		if fault.CodeOf(err) != sqlite.CodeFull || !fault.Is(err, fault.Unavailable) {
			t.Errorf("Insert(%s) = %v, want UNAVAILABLE with %s", id, err, sqlite.CodeFull)
		}
	}
	if _, ok, err := r.h.Source(t.Context(), "n", "new"); ok || err != nil {
		t.Errorf("after the failure Source = %t, %v", ok, err)
	}
	r.want("first", "kept")
	r.exec("PRAGMA max_page_count = 1000000")
	r.insert("new", long)
	r.close()
	again := newRig(t, dir, 256)
	again.want("first", "kept")
	if s, ok, err := again.h.Source(t.Context(), "n", "new"); err != nil || !ok || s.Text != long {
		t.Errorf("Source = %t, %v", ok, err)
	}
}

// What is damaged is an error that names it, never an answer; what is not goes on, and putting it again mends it.
func TestF06_DamagedRow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		damage         string
		search, source bool // they say so
	}{
		"a bit of a vector":        {"UPDATE chunk SET vector = zeroblob(length(vector)) WHERE source = 1", true, false},
		"a short vector":           {"UPDATE chunk SET vector = x'00' WHERE source = 1", true, false},
		"the vector of another":    {"UPDATE chunk SET (vector, norm, sum) = (SELECT vector, norm, sum FROM chunk WHERE source = 2) WHERE source = 1", true, false},
		"the length of a vector":   {"UPDATE chunk SET norm = norm * 2 WHERE source = 1", true, false},
		"a chunk of another":       {"UPDATE chunk SET source = 2 WHERE source = 1", true, false},
		"the text of a chunk":      {"UPDATE chunk SET text = 'forged' WHERE source = 1", true, false},
		"the text of a source":     {"UPDATE source SET text = 'forged' WHERE id = 1", false, true},
		"the label":                {"UPDATE source SET label = 'forged' WHERE id = 1", true, true},
		"the metadata":             {"UPDATE source SET metadata = '{' WHERE id = 1", true, true},
		"the ids of chunks":        {"UPDATE source SET chunks = '' WHERE id = 1", true, true},
		"the owner of a namespace": {"UPDATE namespace SET owner = 'agent:b1', name = 'n' WHERE id = 1; UPDATE namespace SET owner = 'agent:a1' WHERE id = 1", false, false},
		"the model of a namespace": {"UPDATE namespace SET model = 'other'", true, true},
		"a namespace of another":   {"UPDATE namespace SET name = 'm'; UPDATE namespace SET name = 'n', generation = 'x'", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, t.TempDir(), 16)
			r.create()
			r.insert("a", "apple")
			r.insert("b", "zebra")
			for stmt := range strings.SplitSeq(c.damage, ";") {
				r.exec(stmt)
			}
			list, err := r.h.Search(t.Context(), "n", "apple", vectordb.SearchOptions{})
			if got := fault.CodeOf(err) == vectordb.CodeDamaged; got != c.search || !got && err != nil {
				t.Errorf("Search = %+v, %v, want %s: %t", list, err, vectordb.CodeDamaged, c.search)
			}
			s, _, err := r.h.Source(t.Context(), "n", "a")
			if got := fault.CodeOf(err) == vectordb.CodeDamaged; got != c.source || !got && err != nil {
				t.Errorf("Source = %+v, %v, want %s: %t", s, err, vectordb.CodeDamaged, c.source)
			}
			if !strings.Contains(c.damage, "namespace") {
				if name != "a chunk of another" { // which is part of b now
					if s, ok, err := r.h.Source(t.Context(), "n", "b"); err != nil || !ok || s.Text != "zebra" {
						t.Errorf("Source of the other = %+v, %t, %v", s, ok, err)
					}
				}
				r.insert("b", "zebra")
				r.insert("a", "apple")
			} else if err := r.h.DeleteNamespace(t.Context(), "n"); err != nil {
				t.Errorf("DeleteNamespace = %v", err)
			} else {
				r.create()
				r.insert("b", "zebra")
				r.insert("a", "apple")
			}
			r.want("a", "apple")
			r.want("b", "zebra")
		})
	}
}

// Whichever byte of the file is flipped, nobody gets a text that was not kept.
func TestF06_FlippedBytes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := newRig(t, dir, 16)
	first.create()
	kept := map[string]string{}
	for i := range 5 {
		id := fmt.Sprint("s", i)
		kept[id] = strings.Repeat(string(rune('a'+i)), 5) + " text"
		first.insert(id, kept[id])
	}
	first.close()
	good, err := os.ReadFile(filepath.Join(dir, "vectors.db"))
	if err != nil {
		t.Fatal(err)
	}
	refused, got := 0, 0
	for at := 0; at < len(good); at += 97 {
		bad := append([]byte(nil), good...)
		bad[at] ^= 0x2a
		place := t.TempDir()
		if err := os.WriteFile(filepath.Join(place, "vectors.db"), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		r := newRig(t, place, 16)
		for id, text := range kept {
			switch s, ok, err := r.h.Source(t.Context(), "n", id); {
			case ok && s.Text != text:
				t.Errorf("byte %d: Source(%s) = %q", at, id, s.Text)
			case ok:
				got++
			case err != nil:
				refused++
			}
			list, err := r.h.Search(t.Context(), "n", text, vectordb.SearchOptions{TopK: 10})
			if err != nil {
				refused++
				continue
			}
			for _, m := range list {
				if m.Text != kept[m.Source] {
					t.Errorf("byte %d: Search gives %q of %q", at, m.Text, m.Source)
				}
			}
		}
	}
	if refused == 0 || got == 0 {
		t.Errorf("%d were refused and %d given, want some of both", refused, got)
	}
}

// What was acknowledged is there after a sudden end: the files as they are at that moment are enough.
func TestF01_SuddenEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := newRig(t, dir, 16)
	r.create()
	for round := range 10 {
		text := strings.Repeat(string(rune('a'+round)), 7)
		r.insert(fmt.Sprint("s", round), text)
		place := t.TempDir()
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err == nil && !strings.HasSuffix(e.Name(), "-shm") { // memory of the processes, which ends with them
				err = os.WriteFile(filepath.Join(place, e.Name()), data, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		after := newRig(t, place, 16)
		for i := range round + 1 {
			after.want(fmt.Sprint("s", i), strings.Repeat(string(rune('a'+i)), 7))
		}
	}
}

// A vector comes back as it was kept, and bytes that are none of that length do not.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte{0, 0, 128, 63, 0, 0, 0, 192}, 2)
	f.Add([]byte{1, 2, 3}, 1)
	f.Fuzz(func(t *testing.T, data []byte, n int) {
		if n < 0 || n > 1000 {
			return
		}
		v := make([]float32, n)
		if ok := unpack(data, v); ok != (len(data) == 4*n) {
			t.Fatalf("unpack of %d bytes into %d numbers = %t", len(data), n, ok)
		} else if ok && string(pack(v)) != string(data) {
			t.Fatalf("%x became %x", data, pack(v))
		}
	})
}
