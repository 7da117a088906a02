package cli

import (
	"github.com/spf13/cobra"

	"github.com/sre-go/sre/value"
)

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version of this program", Args: arguments(0, 0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			if a.json {
				return a.show(value.Obj(value.M("version", value.Of(a.Version)), value.M("build", value.Of(a.BuildInfo))))
			}
			return a.print("sre " + a.Version + " (" + a.BuildInfo + ")")
		},
	}
}
