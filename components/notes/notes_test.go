package notes

import (
	"testing"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/value"
)

func TestNothingHappens(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, d := range Definitions() {
		names[d.Name] = true
		inst := d.Compile(value.Obj(value.M("content", value.OfInt(5))))
		if len(inst.Violations) > 0 {
			t.Errorf("%s refuses its settings: %v", d.Name, inst.Violations)
		}
		got, err := inst.Run(t.Context(), &component.Call{}, component.Input{})
		if err != nil || got.JSON() != "{}" {
			t.Errorf("%s = %s, %v; want no outputs", d.Name, got.JSON(), err)
		}
		if !d.Traits.Cheap || !d.Traits.Quiet {
			t.Errorf("%s has the traits %+v, want cheap and quiet", d.Name, d.Traits)
		}
	}
	if !names["Note"] || !names["Component"] {
		t.Errorf("Definitions() = %v, want Note and Component", names)
	}
}
