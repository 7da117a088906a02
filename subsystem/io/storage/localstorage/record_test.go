package localstorage

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/value"
)

// pattern returns n bytes of which no block is like another.
func pattern(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return data
}

// oldRecord is a record of the first form.
func oldRecord(h header, body []byte) []byte {
	text := h.encode()
	out := binary.BigEndian.AppendUint32([]byte(oldMagic), uint32(len(text)))
	out = append(out, text...)
	out = binary.BigEndian.AppendUint32(out, crc32.Checksum(out, castagnoli()))
	out = append(out, body...)
	out = binary.BigEndian.AppendUint64(out, uint64(len(body)))
	return binary.BigEndian.AppendUint32(out, crc32.Checksum(body, castagnoli()))
}

func (r *rig) file(name string) string {
	return filepath.Join(r.dir, objectsFolder, filepath.FromSlash(fileOf(name)))
}

// putOld stores a record of the first form of agent-a.
func (r *rig) putOld(name string, body []byte) []byte {
	r.Helper()
	h := header{Record: storage.Record{ACL: access.OwnedBy(r.as("agent:agent-a").Candidate()), Metadata: value.Obj()}, name: name, generation: "g1", modified: r.store.clock.Now()}
	text := oldRecord(h, body)
	r.put(objectsFolder+"/"+fileOf(name), string(text))
	return text
}

func (r *rig) part(name string, offset, length int64) ([]byte, error) {
	r.Helper()
	o, err := r.as("agent:agent-a").OpenRange(r.Context(), name, offset, length)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(o.Body)
	if cerr := o.Body.Close(); cerr != nil {
		r.Errorf("Close: %v", cerr)
	}
	return data, err
}

// Records of the first form are read, whole and in parts, and become new ones when they are changed.
func TestOldRecords(t *testing.T) {
	t.Parallel()
	r := newRig(t, filepath.Join(t.TempDir(), "s"))
	body := pattern(3*blockSize + 17)
	r.putOld("x", body)
	for _, c := range []storage.Range{{}, {Offset: 5}, {Offset: blockSize, Length: 10}, {Offset: int64(len(body))}, {Length: 1}} {
		offset, length, err := c.Of(int64(len(body)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.part("x", c.Offset, c.Length)
		if err != nil || !bytes.Equal(got, body[offset:offset+length]) {
			t.Errorf("OpenRange(%d, %d) = %d bytes, %v, want %d", c.Offset, c.Length, len(got), err, length)
		}
	}
	if err := r.as("agent:agent-a").SetMetadata(t.Context(), "x", value.Obj(value.M("k", value.Of("v")))); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(r.file("x"))
	if err != nil || !bytes.HasPrefix(text, []byte(magic)) {
		t.Errorf("after a change the record begins with %q (%v), want %q", text[:min(8, len(text))], err, magic)
	}
	r.wantText("agent:agent-a", "x", string(body))
}

// A part of a damaged record of the first form is refused, wherever the damage is.
func TestF06_OldRecordPart(t *testing.T) {
	t.Parallel()
	r := newRig(t, filepath.Join(t.TempDir(), "s"))
	text := r.putOld("x", pattern(blockSize))
	for _, at := range []int{len(text) - trailerSize - 1, len(text) - trailerSize, len(text) - 1} {
		bad := bytes.Clone(text)
		bad[at] ^= 1
		r.put(objectsFolder+"/"+fileOf("x"), string(bad))
		if got, err := r.part("x", 0, 10); fault.CodeOf(err) != storage.CodeDamaged || len(got) > 0 {
			t.Errorf("byte %d: OpenRange = %q, %v, want %s", at, got, err, storage.CodeDamaged)
		}
	}
}

// Damage to one block is met by who reads the block and by nobody else, and no block passes for another one, of the same
// record or of another record.
func TestF06_Blocks(t *testing.T) {
	t.Parallel()
	r := newRig(t, filepath.Join(t.TempDir(), "s"))
	body := pattern(4*blockSize + 100)
	for _, name := range []string{"x", "y"} {
		r.write("agent:agent-a", name, string(body))
	}
	good, err := os.ReadFile(r.file("x"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(r.file("y"))
	if err != nil {
		t.Fatal(err)
	}
	start := len(good) - trailerSize - int(blocksSize(int64(len(body))))
	block := func(text []byte, n int) []byte { return text[start+n*blockStep : start+(n+1)*blockStep] }
	for name, c := range map[string]struct {
		change  func(text []byte)
		damaged []int // blocks
	}{
		"first byte of a block": {func(text []byte) { block(text, 1)[0] ^= 1 }, []int{1}},
		"last byte of a block":  {func(text []byte) { block(text, 1)[blockSize-1] ^= 0x80 }, []int{1}},
		"checksum":              {func(text []byte) { block(text, 2)[blockSize] ^= 1 }, []int{2}},
		"zeros":                 {func(text []byte) { clear(block(text, 3)) }, []int{3}},
		"short last block":      {func(text []byte) { text[start+4*blockStep] ^= 1 }, []int{4}},
		"two blocks swapped": {func(text []byte) {
			b := bytes.Clone(block(text, 0))
			copy(block(text, 0), block(text, 2))
			copy(block(text, 2), b)
		}, []int{0, 2}},
		"block twice":             {func(text []byte) { copy(block(text, 1), block(text, 0)) }, []int{1}},
		"block of another record": {func(text []byte) { copy(block(text, 1), block(other, 1)) }, []int{1}},
	} {
		bad := bytes.Clone(good)
		c.change(bad)
		r.put(objectsFolder+"/"+fileOf("x"), string(bad))
		for n := range 5 {
			at := int64(n*blockSize + 10)
			got, err := r.part("x", at, 50)
			switch {
			case slices.Contains(c.damaged, n):
				if fault.CodeOf(err) != storage.CodeDamaged || len(got) > 0 {
					t.Errorf("%s: block %d gave %d bytes, %v, want %s", name, n, len(got), err, storage.CodeDamaged)
				}
			case err != nil || !bytes.Equal(got, body[at:at+50]):
				t.Errorf("%s: block %d gave %d bytes, %v, want those that were stored", name, n, len(got), err)
			}
		}
		whole, err := r.part("x", 0, 0)
		if fault.CodeOf(err) != storage.CodeDamaged || !bytes.Equal(whole, body[:c.damaged[0]*blockSize]) {
			t.Errorf("%s: the whole gave %d bytes, %v, want %s after the first %d blocks", name, len(whole), err, storage.CodeDamaged, c.damaged[0])
		}
		r.wantDamaged("x")
	}
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
	slices.Sort(got)
	if !slices.Equal(got, want) {
		r.Errorf("Verify found %q, want %q", got, want)
	}
}

// Whatever is done to the file of one object, no wrong byte of it gets out, Verify names it and no other, the others go
// on, and its owner or the operator can put something in its place.
func TestF06_StoredFiles(t *testing.T) {
	t.Parallel()
	r := newRig(t, filepath.Join(t.TempDir(), "s"))
	texts := map[string]string{"a": "first text", "b/c": "second text", "d": "third text of another length"}
	for name, text := range texts {
		r.write("agent:agent-a", name, text)
	}
	r.wantDamaged()
	files := map[string][]byte{}
	for name := range texts {
		text, err := os.ReadFile(r.file(name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = text
	}
	for victim, good := range files {
		damage := map[string][]byte{"zeros": make([]byte, len(good)), "longer": append(bytes.Clone(good), 0), "twice": append(bytes.Clone(good), good...)}
		for at := range good {
			damage["cut at "+value.FormatNumber(float64(at))] = good[:at]
			flipped := bytes.Clone(good)
			flipped[at] ^= 1 << (at % 8)
			damage["flipped at "+value.FormatNumber(float64(at))] = flipped
		}
		for name, other := range files {
			if name != victim {
				damage["file of "+name] = other
			}
		}
		for what, bad := range damage {
			r.put(objectsFolder+"/"+fileOf(victim), string(bad))
			if got, err := r.as("agent:agent-a").Read(t.Context(), victim); err == nil {
				t.Errorf("%s of %q: Read = %q, want an error", what, victim, got)
			}
			r.wantDamaged(victim)
		}
		for name, text := range texts {
			if name != victim {
				r.wantText("agent:agent-a", name, text)
			}
		}
		r.put(objectsFolder+"/"+fileOf(victim), string(good))
		r.wantText("agent:agent-a", victim, texts[victim])
	}
}

// A large object is copied while others go on, and a change that comes in between is not lost.
func TestRewriteLarge(t *testing.T) {
	t.Parallel()
	r := newRig(t, filepath.Join(t.TempDir(), "s"))
	h, body := r.as("agent:agent-a"), pattern(maxAlone+1)
	r.write("agent:agent-a", "x", string(body))
	if err := h.SetMetadata(t.Context(), "x", value.Obj(value.M("k", value.OfInt(1)))); err != nil {
		t.Fatal(err)
	}
	got, err := h.Metadata(t.Context(), "x")
	if err != nil || got.GetString("k") != "" || got.JSON() != `{"k":1}` {
		t.Errorf("Metadata = %s, %v, want what was set", got.JSON(), err)
	}
	r.wantText("agent:agent-a", "x", string(body))

	ruling, err := r.store.Rule(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	other := pattern(maxAlone + 2)
	err = r.store.rewrite(t.Context(), "x", ruling.Generation, func(*header) error {
		r.write("agent:agent-a", "x", string(other))
		return nil
	})
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("a change after another write = %v, want CONFLICT", err)
	}
	r.wantText("agent:agent-a", "x", string(other))
	if left, err := os.ReadDir(filepath.Join(r.dir, objectsFolder, ".sre-tmp")); err != nil || len(left) != 0 {
		t.Errorf("temporary files left: %v, %v, want none", left, err)
	}
}
