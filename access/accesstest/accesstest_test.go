package accesstest

import (
	"os"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

func TestTeams(t *testing.T) {
	t.Parallel()
	d := TwoTeams()
	for text, want := range map[string]string{"agent:a1": "ta", "user:u1": "ta", "agent:b1": "tb", "team:other": "other", "agent:nobody": ""} {
		c, err := access.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.TeamOf(t.Context(), c)
		if got != want || (want == "") != fault.Is(err, fault.NotFound) {
			t.Errorf("TeamOf(%s) = %q, %v, want %q", text, got, err, want)
		}
	}
	c, err := access.Agent("a1")
	if err != nil {
		t.Fatal(err)
	}
	d.Move("a1", "tb")
	if got, err := d.TeamOf(t.Context(), c); got != "tb" || err != nil {
		t.Errorf("after Move TeamOf = %q, %v, want tb", got, err)
	}
}

func TestDenials(t *testing.T) {
	t.Parallel()
	var d Denials
	guard := access.Guard{Audit: d.Add}
	_ = guard.Deny(t.Context(), "check", access.Public(), "x", access.NoACL) // the audit is what is looked at
	if got := d.Take(); len(got) != 1 || got[0].Operation != "check" {
		t.Errorf("Take = %+v, want the denial", got)
	}
	if got := d.Take(); len(got) != 0 {
		t.Errorf("a second Take = %+v, want nothing", got)
	}
}
