package nullvault_test

import (
	"testing"

	"github.com/sre-go/sre/subsystem/security/vault/nullvault"
	"github.com/sre-go/sre/subsystem/security/vault/vaulttest"
	"github.com/sre-go/sre/value"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, nullvault.Definition, vaulttest.Subject{
		Empty: true, Prepare: func(*testing.T, string) value.Value { return value.Value{} },
	})
}
