package parcel

import (
	"archive/zip"
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

func about() Manifest {
	return Manifest{Kind: "agents", Made: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), By: "sre 1"}
}

func files() []Entry {
	return []Entry{{"agents/a.smyth", []byte(`{"id":"a"}`)}, {"agents/b.smyth", []byte(strings.Repeat("b", 10_000))}, {"empty", nil}}
}

func pack(t testing.TB, m Manifest, entries []Entry) []byte {
	t.Helper()
	data, err := Pack(m, entries)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	data := pack(t, about(), files())
	if !bytes.Equal(data, pack(t, about(), files())) {
		t.Error("the same files make other bytes")
	}
	m, got, err := Unpack(data)
	if err != nil || m != about() || len(got) != 3 {
		t.Fatalf("Unpack = %+v, %d files, %v", m, len(got), err)
	}
	for i, want := range files() {
		if got[i].Name != want.Name || !bytes.Equal(got[i].Data, want.Data) {
			t.Errorf("file %d is %q (%d bytes), want %q", i, got[i].Name, len(got[i].Data), want.Name)
		}
	}
	if _, got, err := Unpack(pack(t, about(), nil)); err != nil || len(got) != 0 {
		t.Errorf("a parcel of nothing = %d files, %v", len(got), err)
	}
}

func TestPack_Refuses(t *testing.T) {
	t.Parallel()
	for name, entries := range map[string][]Entry{
		"twice": {{"a", nil}, {"a", nil}}, "twice in another case": {{"a", nil}, {"A", nil}}, "the manifest": {{"manifest.json", nil}},
		"a step up": {{"../a", nil}}, "an absolute path": {{"/a", nil}}, "no name": {{"", nil}},
	} {
		if _, err := Pack(about(), entries); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: Pack = %v, want it refused", name, err)
		}
	}
}

// zipped makes a zip by hand.
func zipped(t testing.TB, names []string, texts ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i, name := range names {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(texts[i]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// T13, T32: what comes from elsewhere is looked at before it is used.
func TestT13_Unpack(t *testing.T) {
	t.Parallel()
	listed := func(files string) string {
		return `{"format":1,"kind":"agents","made":"2026-01-02T03:04:05Z","by":"x","files":[` + files + `]}`
	}
	const ofA = `"sha256":"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"` // of "a"
	bomb := pack(t, about(), []Entry{{"zeros", make([]byte, maxEntry+1)}})
	for name, c := range map[string]struct {
		data []byte
		kind fault.Kind
		text string
	}{
		"nothing":          {nil, fault.Invalid, "no zip"},
		"text":             {[]byte("text"), fault.Invalid, "sre export"},
		"no manifest":      {zipped(t, []string{"a"}, "a"), fault.Invalid, "manifest.json"},
		"not first":        {zipped(t, []string{"a", "manifest.json"}, "a", listed(`{"name":"a",`+ofA+`}`)), fault.Invalid, "manifest.json"},
		"garbled":          {zipped(t, []string{"manifest.json"}, "{"), fault.Invalid, "cannot be read"},
		"another format":   {zipped(t, []string{"manifest.json"}, `{"format":2,"by":"sre 9"}`), fault.Invalid, "sre 9"},
		"no time":          {zipped(t, []string{"manifest.json"}, `{"format":1}`), fault.Invalid, "time"},
		"a file more":      {zipped(t, []string{"manifest.json", "a"}, listed(""), "a"), fault.Invalid, "1 files"},
		"a file less":      {zipped(t, []string{"manifest.json"}, listed(`{"name":"a",`+ofA+`}`)), fault.Invalid, "manifest says 1"},
		"another name":     {zipped(t, []string{"manifest.json", "b"}, listed(`{"name":"a",`+ofA+`}`), "a"), fault.Invalid, "changed"},
		"another text":     {zipped(t, []string{"manifest.json", "a"}, listed(`{"name":"a",`+ofA+`}`), "b"), fault.Invalid, "changed"},
		"a step up":        {zipped(t, []string{"manifest.json", "../a"}, listed(`{"name":"../a",`+ofA+`}`), "a"), fault.Invalid, ""},
		"an absolute path": {zipped(t, []string{"manifest.json", "/a"}, listed(`{"name":"/a",`+ofA+`}`), "a"), fault.Invalid, ""},
		"a backslash":      {zipped(t, []string{"manifest.json", `..\a`}, listed(`{"name":"..\\a",`+ofA+`}`), "a"), fault.Invalid, ""},
		"a folder":         {zipped(t, []string{"manifest.json", "a/"}, listed(`{"name":"a/","sha256":""}`), ""), fault.Invalid, ""},
		"twice":            {zipped(t, []string{"manifest.json", "a", "A"}, listed(`{"name":"a",`+ofA+`},{"name":"A",`+ofA+`}`), "a", "a"), fault.Invalid, "twice"},
		"too much":         {bomb, fault.Limit, "larger"},
		"too large a zip":  {make([]byte, MaxBytes+1), fault.Limit, "larger"},
	} {
		if _, got, err := Unpack(c.data); !fault.Is(err, c.kind) || !strings.Contains(err.Error(), c.text) || got != nil {
			t.Errorf("%s: Unpack = %d files, %v, want an error of kind %v with %q", name, len(got), err, c.kind, c.text)
		}
	}
}

// Whichever byte is flipped or however it is cut, what is returned is what was packed.
func TestF06_Unpack(t *testing.T) {
	t.Parallel()
	good := pack(t, about(), files())
	refused := 0
	for at := range good {
		bad := bytes.Clone(good)
		bad[at] ^= 0x41
		for _, data := range [][]byte{bad, good[:at]} {
			_, got, err := Unpack(data)
			if err != nil {
				refused++
				continue
			}
			for i, e := range got {
				if want := files()[i]; e.Name != want.Name || !bytes.Equal(e.Data, want.Data) {
					t.Errorf("byte %d: %q has %d bytes", at, e.Name, len(e.Data))
				}
			}
		}
	}
	if refused < len(good) {
		t.Errorf("%d of %d were refused", refused, 2*len(good))
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(pack(f, about(), files()))
	f.Add(zipped(f, []string{"manifest.json"}, `{"format":1,"made":"2026-01-02T03:04:05Z","files":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, entries, err := Unpack(data)
		if err != nil {
			if entries != nil {
				t.Fatal("files come with an error")
			}
			return
		}
		again, err := Pack(m, entries)
		if err != nil {
			t.Fatalf("what was unpacked cannot be packed: %v", err)
		}
		if _, got, err := Unpack(again); err != nil || len(got) != len(entries) {
			t.Fatalf("%d files become %d (%v)", len(entries), len(got), err)
		}
	})
}
