package localcomponent_test

import (
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/subsystem/agent/catalog/catalogtest"
	"github.com/sre-go/sre/subsystem/agent/catalog/localcomponent"
	"github.com/sre-go/sre/value"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	catalogtest.Run(t, localcomponent.Definition(catalogtest.Types()), value.Obj())
}

func TestDisabled(t *testing.T) {
	t.Parallel()
	def := localcomponent.Definition(catalogtest.Types())
	svc, err := catalogtest.Open(t, def, value.Obj(value.M("disabled", value.Strings([]string{"Old"}))))
	if err != nil {
		t.Fatal(err)
	}
	h := svc.For(access.Public())
	for _, name := range []string{"First", "Old"} {
		if _, err := h.Get(t.Context(), name); err == nil {
			t.Errorf("Get(%q) gave a type that is disabled", name)
		}
	}
	_, err = catalogtest.Open(t, def, value.Obj(value.M("disabled", value.Strings([]string{"Secnd"}))))
	if err == nil || !strings.Contains(err.Error(), "Second") {
		t.Errorf("a wrong name in disabled: error = %v, want one that names Second", err)
	}
}
