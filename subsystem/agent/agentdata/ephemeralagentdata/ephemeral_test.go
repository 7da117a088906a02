package ephemeralagentdata_test

import (
	"testing"

	"github.com/sre-go/sre/subsystem/agent/agentdata/agentdatatest"
	"github.com/sre-go/sre/subsystem/agent/agentdata/ephemeralagentdata"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	agentdatatest.Run(t, ephemeralagentdata.Definition, agentdatatest.Subject{})
}
