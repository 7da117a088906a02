package nullagentdata_test

import (
	"testing"

	"github.com/sre-go/sre/subsystem/agent/agentdata/agentdatatest"
	"github.com/sre-go/sre/subsystem/agent/agentdata/nullagentdata"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	agentdatatest.Run(t, nullagentdata.Definition, agentdatatest.Subject{Empty: true})
}
