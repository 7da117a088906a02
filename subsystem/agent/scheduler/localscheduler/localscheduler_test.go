package localscheduler

import (
	"testing"

	"github.com/sre-go/sre/subsystem/agent/scheduler/schedulertest"
	"github.com/sre-go/sre/value"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	schedulertest.Run(t, Definition(), value.Obj(value.M("maxHistoryEntries", value.OfInt(7))))
}
