package argumentcli_test

import (
	"os"
	"strings"
	"testing"

	"github.com/sre-go/sre/internal/leak"
	"github.com/sre-go/sre/subsystem/io/cli/argumentcli"
	"github.com/sre-go/sre/subsystem/io/cli/clitest"
	"github.com/sre-go/sre/value"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

func TestSuite(t *testing.T) {
	t.Parallel()
	clitest.Run(t, argumentcli.Definition, value.Obj(
		value.M("args", value.Strings(strings.Fields("--name Ada --post a=1 b=2"))), value.M("team", value.Of("red")),
	))
}
