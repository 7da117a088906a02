package nullmanagedvault_test

import (
	"testing"

	"github.com/sre-go/sre/subsystem/security/managedvault/managedvaulttest"
	"github.com/sre-go/sre/subsystem/security/managedvault/nullmanagedvault"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	managedvaulttest.Run(t, nullmanagedvault.Definition, managedvaulttest.Subject{Empty: true})
}
