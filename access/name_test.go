package access

import (
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
)

// ways are texts that try to get somewhere else; as a name and as a key all of them are refused.
func ways() []string {
	return []string{
		"", ".", "..", "../x", "x/..", "a/../../x", "a/./b", "/etc/passwd", "//x", "..\\x", "a\\..\\b", "C:\\x", "c:/x", "\\\\?\\C:\\x",
		"%2e%2e%2fx", "..%2fx", "%2E%2e/x", "a%00b", "%252e%252e/x", "%25252e./x", "a%252f..", "a\x00b", "a\nb", "a\x7fb",
		strings.Repeat("a/", 2500), strings.Repeat("x", 5000), "\xff", "a/\xc3\x28",
	}
}

func TestT10_Traversal(t *testing.T) {
	t.Parallel()
	names := append(ways(), "C:x", "a//b", "a/", "a\\b", "a%5cb", "a%2Fb", "\u2024\u2024/x", "\uff0e\uff0e/x", "\u2025/x", "a\uff0fb", "a\uff3cb",
		"a\u2215b", strings.Repeat("x", MaxSegment+1), "CON", "con", "nul.txt", "aux.tar.gz", "com1", "LPT9.log", "COM\u00b9", "PRN ", "a/NUL/b",
		"conin$", "trailing.", "trailing ", "a./b", "a /b", ". .", ".. ")
	check := map[string]struct {
		texts []string
		valid func(string) error
	}{"name": {names, ValidName}, "key": {ways(), ValidKey}}
	for what, c := range check {
		for _, text := range c.texts {
			if err := c.valid(text); !fault.Is(err, fault.Invalid) || fault.CodeOf(err) != CodePathDenied {
				t.Errorf("%s %.40q = %v, want INVALID with the code %s", what, text, err, CodePathDenied)
			}
		}
	}
}

func TestValidName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"a", "a/b/c.txt", ".hidden", "teams/x.agent/y/z", "a b", "xx:y", "100%", "a%20b", "%e4%bd%a0", "50%25", "console", "com", "com10",
		"a.con", "...a", "a..b", "日本/語", strings.Repeat("x", MaxSegment), "vectorDB:pinecone",
	} {
		if err := ValidName(name); err != nil {
			t.Errorf("ValidName(%q) = %v, want none", name, err)
		}
		if err := ValidKey(name); err != nil {
			t.Errorf("ValidKey(%q) = %v, want none", name, err)
		}
	}
	for _, key := range []string{"agent-1:mem:Hello.", "a:session:mem:x", "a:", "a//b", "CON", "a\\b", "why? because...", "https://x.test/a%2Fb", "100% sure", strings.Repeat("x", MaxName)} {
		if err := ValidKey(key); err != nil {
			t.Errorf("ValidKey(%q) = %v, want none", key, err)
		}
	}
}

// A valid name is a valid key, and neither check lets a dot segment through, however it is read.
func FuzzValidName(f *testing.F) {
	for _, s := range ways() {
		f.Add(s)
	}
	f.Add("teams/a/b%20c.txt")
	f.Fuzz(func(t *testing.T, text string) {
		if ValidName(text) == nil && ValidKey(text) != nil {
			t.Errorf("%q is a valid name but no valid key", text)
		}
		if ValidKey(text) != nil {
			return
		}
		for _, reading := range []string{text, strings.ReplaceAll(strings.ReplaceAll(text, "%2e", "."), "%2f", "/")} {
			for _, part := range strings.FieldsFunc(reading, func(r rune) bool { return r == '/' || r == '\\' }) {
				if part == ".." || part == "." {
					t.Errorf("%q has the segment %q", text, part)
				}
			}
		}
	})
}

func BenchmarkValidName(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if ValidName("teams/team-a.agent/agent-a/folder/file.txt") != nil {
			b.Fatal("refused")
		}
	}
}
