package localscheduler

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/subsystem/agent/scheduler"
)

// BenchmarkAll is what a runner does every few seconds: it looks at 1,000 jobs.
func BenchmarkAll(b *testing.B) {
	dir := b.TempDir()
	for i := range 1000 {
		id := fmt.Sprint("j", i)
		for name, text := range map[string]string{
			"jobs/agent-a.agent/" + id + ".json":          strings.Replace(recorded, `"j1"`, `"`+id+`"`, 1),
			".jobs.runtime/agent-a.agent/" + id + ".json": recordedProgress,
		} {
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				b.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				b.Fatal(err)
			}
		}
	}
	s := newStore(disk.Later(dir), scheduler.Policy{History: 100}, connector.Env{Effects: effect.System{}, Log: slog.New(slog.DiscardHandler)})
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, err := range s.All(b.Context(), access.Candidate{}, "") {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 1000 {
			b.Fatal(n, "jobs")
		}
	}
}
