package limits

import (
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
)

// TestSet_EveryListed sets every limit to the value it is listed with: the list and the names cannot drift apart.
func TestSet_EveryListed(t *testing.T) {
	t.Parallel()
	for _, e := range Default().List() {
		var l Limits
		if err := l.Set(e.Name, e.Value); err != nil {
			t.Errorf("Set(%q, %q) error = %v", e.Name, e.Value, err)
			continue
		}
		for _, got := range l.List() {
			if got.Name == e.Name && got.Value != e.Value {
				t.Errorf("Set(%q, %q) gave %q", e.Name, e.Value, got.Value)
			}
		}
	}
}

func TestSet_Refuses(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"stepps": "steps", "steps": "10000", "json_bytes": "10 MiB", "sandbox_time": "30s"} {
		l := Default()
		err := l.Set(name, "many")
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("Set(%q, \"many\") error = %v, want one that shows %q", name, err, want)
		}
	}
}
