package audit

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sre-go/sre/value"
)

func parseValue(t *testing.T, text string) value.Value {
	t.Helper()
	if text == "" {
		return value.Value{}
	}
	v, err := value.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestF06_EveryFlippedByteIsNamed: whichever byte of the records is changed, the check names its line, or the one after it
// when what was changed is the end of a line.
func TestF06_EveryFlippedByteIsNamed(t *testing.T) {
	t.Parallel()
	dir := filled(t, 4)
	path := filepath.Join(dir, nameOf(1))
	good := content(t, path)
	for i := range good {
		bad := slices.Clone(good)
		bad[i] ^= 1 << (i % 8)
		overwrite(t, path, bad)
		line := bytes.Count(good[:i], []byte{'\n'}) + 1
		rep := verify(t, dir)
		if rep.Broken == nil || rep.Broken.Line != line || rep.Records != line-1 {
			t.Fatalf("byte %d of line %d changed: broken %v after %d good records", i, line, rep.Broken, rep.Records)
		}
	}
	overwrite(t, path, good)
	sound(t, dir, 4)
}

func TestF06_LinesAreMissed(t *testing.T) {
	t.Parallel()
	dir := filled(t, 5)
	path := filepath.Join(dir, nameOf(1))
	good := content(t, path)
	lines := bytes.SplitAfter(good, []byte{'\n'})[:5]
	join := func(order ...int) []byte {
		var b []byte
		for _, i := range order {
			b = append(b, lines[i]...)
		}
		return b
	}
	tests := []struct {
		name string
		bad  []byte
		at   string
		why  string
	}{
		{"first deleted", join(1, 2, 3, 4), nameOf(1) + ":1", "begins with record 2"},
		{"one deleted", join(0, 1, 3, 4), nameOf(1) + ":3", "missing"},
		{"last deleted", join(0, 1, 2, 3), headFile, "record 5 was there"},
		{"two deleted at the end", join(0, 1, 2), headFile, "the last one now is 3"},
		{"all deleted", nil, headFile, "record 5 was there"},
		{"swapped", join(0, 2, 1, 3, 4), nameOf(1) + ":2", "missing"},
		{"twice", join(0, 1, 1, 2, 3, 4), nameOf(1) + ":3", "there twice"},
		{"last twice", join(0, 1, 2, 3, 4, 4), nameOf(1) + ":6", "there twice"},
		{"moved to the end", join(0, 1, 3, 4, 2), nameOf(1) + ":3", "missing"},
		{"cut in the middle of a line", good[:len(good)-10], nameOf(1) + ":5", "cut off"},
		{"cut before the last end", good[:len(good)-1], nameOf(1) + ":5", "cut off"},
		{"empty line", slices.Concat(join(0), []byte("\n"), join(1, 2, 3, 4)), nameOf(1) + ":2", "no record"},
		{"line of another log", slices.Concat(join(0, 1), bytes.SplitAfter(content(t, filepath.Join(filled(t, 5), nameOf(1))), []byte{'\n'})[2], join(3, 4)), nameOf(1) + ":3", "does not follow"},
		{"endless line", slices.Concat(join(0), bytes.Repeat([]byte{'x'}, 2*maxLine)), nameOf(1) + ":2", "too long"},
	}
	for _, tt := range tests {
		overwrite(t, path, tt.bad)
		if rep := verify(t, dir); rep.Broken == nil || rep.Broken.Place.String() != tt.at || !strings.Contains(rep.Broken.Error(), tt.why) {
			t.Errorf("%s: broken %v, want %s: …%s…", tt.name, rep.Broken, tt.at, tt.why)
		}
	}
	overwrite(t, path, good)
	sound(t, dir, 5)
}

func TestF06_FilesAreMissed(t *testing.T) {
	t.Parallel()
	fill := func() (Options, []string) {
		o := options(t.TempDir())
		o.MaxBytes = 1500
		l := New(o)
		for range 16 {
			record(t, l, read(t, "k"))
		}
		closeLog(t, l)
		names, err := folderOf(t, o.Folder).names()
		if err != nil || len(names) < 3 {
			t.Fatalf("files %q, %v, want at least three", names, err)
		}
		sound(t, o.Folder, 16)
		return o, names
	}
	for name, harm := range map[string]func(dir string, names []string) error{
		"first removed":  func(dir string, names []string) error { return os.Remove(filepath.Join(dir, names[0])) },
		"second removed": func(dir string, names []string) error { return os.Remove(filepath.Join(dir, names[1])) },
		"last removed":   func(dir string, names []string) error { return os.Remove(filepath.Join(dir, names[len(names)-1])) },
		"head removed":   func(dir string, _ []string) error { return os.Remove(filepath.Join(dir, headFile)) },
		"head damaged": func(dir string, _ []string) error {
			return os.WriteFile(filepath.Join(dir, headFile), []byte(`{"seq":`), 0o600)
		},
		"head of another log": func(dir string, _ []string) error {
			return os.WriteFile(filepath.Join(dir, headFile), head{16, zero}.text(), 0o600)
		},
		"renamed": func(dir string, names []string) error {
			return os.Rename(filepath.Join(dir, names[1]), filepath.Join(dir, nameOf(1000)))
		},
	} {
		o, names := fill()
		if err := harm(o.Folder, names); err != nil {
			t.Fatal(err)
		}
		rep := verify(t, o.Folder)
		if rep.Broken == nil {
			t.Errorf("%s: nothing was found", name)
		}
		l := New(o) // the audit goes on whatever was done to it, and what was done stays to be seen
		record(t, l, read(t, "after"))
		closeLog(t, l)
		again := verify(t, o.Folder)
		if name == "head removed" || name == "head damaged" {
			if again.Broken != nil || len(again.Notes) != 1 || again.Notes[0].Operation != opGap {
				t.Errorf("%s: afterwards broken %v, notes %v, want a note", name, again.Broken, again.Notes)
			}
		} else if name != "head of another log" && again.Broken == nil {
			t.Errorf("%s: nothing was found once the audit went on", name)
		}
	}
}

// TestF01_TornLineIsSetAside: whatever part of the last line a crash leaves, the rest of the audit goes on, the part is kept
// in a file and a record tells of it.
func TestF01_TornLineIsSetAside(t *testing.T) {
	t.Parallel()
	good := content(t, filepath.Join(filled(t, 3), nameOf(1)))
	lines := bytes.SplitAfter(good, []byte{'\n'})
	start := len(lines[0]) + len(lines[1])
	for _, cut := range []int{start + 1, start + 20, len(good) - 40, len(good) - 2, len(good) - 1} {
		dir := filled(t, 2)
		path := filepath.Join(dir, nameOf(1))
		torn := good[start:cut]
		overwrite(t, path, append(content(t, path), torn...))
		l := New(options(dir))
		record(t, l, read(t, "after"))
		closeLog(t, l)
		rep := sound(t, dir, 4)
		if len(rep.Notes) != 1 || rep.Notes[0].Operation != opTorn || rep.Notes[0].Rule != fmt.Sprint(len(torn), " bytes") {
			t.Errorf("cut after %d bytes: notes %+v, want one of the torn line", cut-start, rep.Notes)
			continue
		}
		if got := content(t, filepath.Join(dir, rep.Notes[0].Resource)); !bytes.Equal(got, torn) {
			t.Errorf("cut after %d bytes: set aside is %q, want %q", cut-start, got, torn)
		}
	}
}

// TestF06_CutEndIsNoted: records that are gone when the audit starts are noted, and the check names the place for ever.
func TestF06_CutEndIsNoted(t *testing.T) {
	t.Parallel()
	dir := filled(t, 4)
	path := filepath.Join(dir, nameOf(1))
	lines := bytes.SplitAfter(content(t, path), []byte{'\n'})
	overwrite(t, path, slices.Concat(lines[0], lines[1]))
	for range 2 {
		l := New(options(dir))
		record(t, l, read(t, "after"))
		closeLog(t, l)
		rep := verify(t, dir)
		if rep.Broken == nil || rep.Broken.Line != 3 || !strings.Contains(rep.Broken.Why, "record 5 comes after record 2") {
			t.Errorf("broken %v, want the place of the missing records", rep.Broken)
		}
	}
	found := entries(t, dir)[2]
	if found.Operation != opGap || found.Seq != 5 || !strings.Contains(found.Resource, "records 3 to 4") {
		t.Errorf("the record after the gap is %+v", found)
	}
}

// TestF06_DamagedEnd: a last line that is no record does not stop the audit, and is not passed over.
func TestF06_DamagedEnd(t *testing.T) {
	t.Parallel()
	dir := filled(t, 3)
	path := filepath.Join(dir, nameOf(1))
	bad := content(t, path)
	bad[len(bad)-100] ^= 1
	overwrite(t, path, bad)
	l := New(options(dir))
	record(t, l, read(t, "after"))
	closeLog(t, l)
	if rep := verify(t, dir); rep.Broken == nil || rep.Broken.Line != 3 {
		t.Errorf("broken %v, want line 3", rep.Broken)
	}
	lines := strings.Split(string(content(t, path)), "\n")
	if len(lines) != 6 || !strings.Contains(lines[3], opDamaged) || !strings.Contains(lines[4], "red/after") {
		t.Errorf("the file has the lines %q", lines)
	}
}

// A folder that was removed while the audit runs stops it: nothing is recorded where nobody would look.
func TestFolderIsRemoved(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "audit")
	l := New(options(dir))
	record(t, l, read(t, "k"))
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := l.Record(t.Context(), read(t, "k")); err == nil {
		t.Error("Record = nil without a folder")
	}
	if err := l.Check(t.Context()); err == nil {
		t.Error("Check = nil without a folder")
	}
	_ = l.Close(t.Context()) // it may fail: what it would flush is gone
}

func FuzzVerify(f *testing.F) {
	dir := filled(f, 3)
	path := filepath.Join(dir, nameOf(1))
	good := content(f, path)
	f.Add(good)
	f.Add(good[:len(good)-5])
	f.Add([]byte("{}\n\n"))
	f.Add(bytes.Replace(good, []byte(`"seq":2`), []byte(`"seq":9`), 1))
	f.Fuzz(func(t *testing.T, text []byte) {
		overwrite(t, path, text)
		if rep := verify(t, dir); rep.Broken == nil && !bytes.Equal(text, good) {
			t.Errorf("%q passes for the records that were written", text)
		}
	})
}

func FuzzParse(f *testing.F) {
	e := Entry{Seq: 1, Who: "agent:a", Resource: "x\"\\\n", Prev: zero}
	f.Add(string(bytes.TrimSuffix(e.seal(), []byte{'\n'})))
	f.Add("")
	f.Add(hashKey + zero + ending)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parse([]byte(text))
		if err != nil {
			return
		}
		if again, err := parse(bytes.TrimSuffix(got.seal(), []byte{'\n'})); err != nil || again != got {
			t.Errorf("parse(%q) = %+v, written and read again %+v, %v", text, got, again, err)
		}
	})
}
