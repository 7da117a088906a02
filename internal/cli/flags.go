package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/schema"
)

// badFlag explains a flag that a command cannot take. One that does not exist is answered with the one that was meant, or with
// those of the command.
func badFlag(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && len(unknown.GetSpecifiedName()) > 1 {
		err = unknownFlag(c, unknown.GetSpecifiedName())
	}
	return usageError{fault.Hint(fault.New(fault.Invalid, err), "see %s --help", c.CommandPath())}
}

func unknownFlag(c *cobra.Command, name string) error {
	var own, all []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		all = append(all, f.Name)
		if c.InheritedFlags().Lookup(f.Name) == nil {
			own = append(own, "--"+f.Name)
		}
	})
	// The first letter is seldom the wrong one, and short names are near to many.
	if near := schema.Nearest(name, all); near != "" && near[0] == name[0] {
		return fmt.Errorf("unknown flag --%s; did you mean --%s?", name, near)
	}
	return fmt.Errorf("unknown flag --%s; %s has %s", name, c.CommandPath(), strings.Join(own, ", "))
}
