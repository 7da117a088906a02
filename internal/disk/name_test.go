package disk

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
)

func TestValidName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"a", "a/b/c.txt", ".hidden", "teams/x.agent/y/z", "a b", "xx:y", "100%", "a%20b", "%e4%bd%a0", "50%25", "console", "com", "com10", "CONF",
		"a.con", "...a", "a..b", "日本/語", strings.Repeat("x", access.MaxSegment), "vectorDB:pinecone",
	} {
		if err := ValidName(name); err != nil {
			t.Errorf("ValidName(%q) = %v, want none", name, err)
		}
	}
}

// snapshot describes every file below dir: kind, mode and content.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s %v", p, info.Mode())
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " %q", data)
		}
		b.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// traversals are names that must not get anywhere.
func traversals() []string {
	return []string{
		"", ".", "..", "../x", "x/..", "a/../../x", "a/./b", "/etc/passwd", "//x", "a//b", "a/", "..\\x", "a\\b", "C:\\x", "C:x", "c:/x",
		"\\\\?\\C:\\x", "%2e%2e%2fx", "..%2fx", "%2E%2e/x", "a%5cb", "a%2Fb", "a%00b", "%252e%252e/x", "%25252e./x", "a%252fb",
		"a\x00b", "a\nb", "a\x7fb", "\u2024\u2024/x", "\uff0e\uff0e/x", "\u2025/x", "a\uff0fb", "a\uff3cb", "a\u2215b",
		strings.Repeat("a/", 2500), strings.Repeat("x", 5000), strings.Repeat("x", access.MaxSegment+1),
		"CON", "con", "nul.txt", "aux.tar.gz", "com1", "LPT9.log", "COM\u00b9", "PRN ", "a/NUL/b", "conin$",
		"trailing.", "trailing ", "a./b", "a /b", ". .", ".. ", "\xff", "a/\xc3\x28", tempFolder, "a/" + strings.ToUpper(tempFolder) + "/1-1",
	}
}

// Every operation refuses every hostile name before the system is asked, and the tree above the root stays as it was.
func TestT10_Traversal(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	write(t, f, "inside", "x")
	above := snapshot(t, filepath.Dir(dir))
	operations := map[string]func(string) error{
		"name":   ValidName,
		"read":   func(n string) error { _, err := f.Read(n, 10); return err },
		"open":   func(n string) error { _, err := f.Open(n, 10); return err },
		"stat":   func(n string) error { _, err := f.Stat(n); return err },
		"write":  func(n string) error { return f.WriteAtomic(n, []byte("pwned")) },
		"writer": func(n string) error { _, err := f.Writer(n); return err },
		"remove": f.Remove,
		"sub":    func(n string) error { _, err := f.Sub(n); return err },
		"lock":   func(n string) error { _, err := f.Lock(n); return err },
	}
	for op, do := range operations {
		for _, name := range traversals() {
			err := do(name)
			if !fault.Is(err, fault.Invalid) || fault.CodeOf(err) != CodePathDenied {
				t.Errorf("%s of %.40q = %v, want INVALID with the code %s", op, name, err, CodePathDenied)
			}
		}
	}
	for _, prefix := range []string{"../", "/etc/", "a/../", "a\\b/", "..%2f/"} {
		if names, _, err := f.List(prefix, "", 10); fault.CodeOf(err) != CodePathDenied {
			t.Errorf("List(%q) = %q, %v, want %s", prefix, names, err, CodePathDenied)
		}
	}
	if got := snapshot(t, filepath.Dir(dir)); got != above {
		t.Errorf("the tree changed: got %s, want %s", got, above)
	}
}

// Whatever passes ValidName stays below the root under every reading of the name.
func FuzzValidName(f *testing.F) {
	for _, s := range traversals() {
		f.Add(s)
	}
	f.Add("teams/a/b.txt")
	f.Fuzz(func(t *testing.T, name string) {
		if ValidName(name) != nil {
			return
		}
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			t.Errorf("%q is not local", name)
		}
		if got := path.Clean(name); got != name {
			t.Errorf("Clean(%q) = %q, want it unchanged", name, got)
		}
		for _, part := range strings.FieldsFunc(name, func(r rune) bool { return r == '/' || r == '\\' }) {
			if part == ".." || part == "." || strings.EqualFold(part, tempFolder) {
				t.Errorf("%q has the segment %q", name, part)
			}
		}
	})
}
