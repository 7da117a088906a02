package sqlitevec

import (
	"testing"

	"github.com/sre-go/sre/subsystem/io/vectordb/vectordbtest"
	"github.com/sre-go/sre/value"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	vectordbtest.Run(t, Definition(), value.Obj())
}
