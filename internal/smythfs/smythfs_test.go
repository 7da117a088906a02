package smythfs

import (
	"os"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

func TestParse(t *testing.T) {
	t.Parallel()
	for text, name := range map[string]string{
		"smythfs://teamA.team/a.txt":           "teams/teamA/a.txt",
		"smythfs://teamA.team/agent-1/_temp/x": "teams/teamA/agent-1/_temp/x",
		"smythfs://a1.agent/z.txt":             "teams/T.agent/a1/z.txt",
		"smythfs://u1.user/z.txt":              "teams/T.user/u1/z.txt",
	} {
		u, err := Parse(text)
		if err != nil || u.Name("T") != name || u.String() != text {
			t.Errorf("Parse(%q) = %v (%q), %v; want %q", text, u, u.Name("T"), err, name)
		}
	}
}

// TestT11_Confusion: an address with two readings is refused.
func TestT11_Confusion(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "smythfs://", "smythfs:///f", "smythfs://victim.team", "smythfs://victim.team/", "smythfs://..team/f", "smythfs://.team/f",
		"smythfs://victim.team:80@x/f", "smythfs://victim.team:80/f", "smythfs://x@victim.team/f", "smythfs://t.team/a/../../victim/f",
		"smythfs://t.team/../f", "smythfs://t.team/%2fetc", "smythfs://t.team/%5cf", "smythfs://t.team/a?b", "smythfs://t.team/a#b", "SMYTHFS://t.team/f",
		"smythfs://a://b", "smythfs://t.Team/f", "smythfs://t.public/f", "smythfs://t.team.agent/f", "smythfs://t.team//f", "smythfs://t.team/f/",
		"smythfs://t.team/a\x00b", "smythfs://t.team/a\nb", "smythfs://t.team/./f", "smythfs://t_m.team/f", "smythfs://t.team/\\f", " smythfs://t.team/f",
	} {
		if u, err := Parse(text); !fault.Is(err, fault.Invalid) {
			t.Errorf("Parse(%q) = %v, %v; want it refused", text, u, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("smythfs://teamA.team/a/b.txt")
	f.Add("smythfs://t.team/../x")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(u.String())
		if err != nil || again != u || u.String() != text {
			t.Errorf("Parse(%q) = %v, which reads back as %v, %v", text, u, again, err)
		}
	})
}
