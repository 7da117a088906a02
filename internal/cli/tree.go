package cli

import (
	"github.com/spf13/cobra"

	"github.com/sre-go/sre"
)

// Tree returns the commands over a set, for pages that describe them. They are not to be run.
func Tree(set sre.Set) *cobra.Command {
	a := &app{set: set}
	return a.root()
}
