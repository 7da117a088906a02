package llm_test

import (
	"net/url"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/models"
)

// T50: the operator's address may be in a private network, the one of a team or a caller may not.
func TestReach(t *testing.T) {
	t.Parallel()
	const base = "http://127.0.0.1:11434/v1"
	asked, err := url.Parse(base + "/chat/completions")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		target models.Model
		want   bool
	}{
		{"of the connector", models.Model{}, true},
		{"of the catalogue", models.Model{BaseURL: base}, true},
		{"of the connector, for a model without an entry", models.Model{TeamOwn: true}, true},
		{"of a team or a caller", models.Model{BaseURL: base, TeamOwn: true}, false},
	}
	for _, tt := range tests {
		if got := access.IsConfigured(llm.Reach(t.Context(), &tt.target, base), asked); got != tt.want {
			t.Errorf("%s: reached %t, want %t", tt.name, got, tt.want)
		}
	}
}
