package nullrouter

import (
	"testing"

	"github.com/sre-go/sre/subsystem/io/router/routertest"
	"github.com/sre-go/sre/value"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	routertest.Run(t, Definition, routertest.Subject{Settings: value.Obj(), Base: "http://nullrouter.local", Nowhere: true})
}
