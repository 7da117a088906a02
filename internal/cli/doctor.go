package cli

import (
	"context"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
)

func (a *app) doctor() *cobra.Command {
	var bundle string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine gives to the runtime, and what is wrong with it",
		Long: "Starts the runtime, looks at its parts and says what is wrong. With --bundle that goes into a zip for who helps, together\n" +
			"with the configuration, the names of the vault's keys, and the last of the audit and of the log; secrets stay here.",
		Example: "  sre doctor --json\n  sre doctor --bundle support.zip",
		Args:    arguments(0, 0, "no arguments"),
		RunE:    func(c *cobra.Command, _ []string) error { return a.runDoctor(c.Context(), bundle) },
	}
	c.Flags().StringVar(&bundle, "bundle", "", "a zip to write, for who helps")
	return c
}

func (a *app) runDoctor(ctx context.Context, bundle string) (err error) {
	finding := func(check, state, text string) row { return row{{"check", check}, {"state", state}, {"finding", text}} }
	rt, err := a.start(ctx)
	if err != nil {
		if printed := a.table([]row{finding("start", "bad", err.Error())}); printed != nil {
			return printed
		}
		return err
	}
	defer a.stop(rt, &err)
	rows := []row{finding("start", "ok", "booted in "+short(rt.Boot().Took()))}
	switch {
	case rt.Dir() == "":
		rows = append(rows, finding("data folder", "note", "none: nothing is kept"))
	case disk.IsFolder(rt.Dir()):
		rows = append(rows, finding("data folder", "ok", rt.Dir()))
	default:
		rows = append(rows, finding("data folder", "note", rt.Dir()+" does not exist; it is made when something is kept"))
	}
	config := rt.Config()
	for _, origin := range config.Origins {
		rows = append(rows, finding("configuration", "ok", origin))
	}
	bad := 0
	health := rt.Health(ctx)
	names := make([]string, 0, len(health))
	for name := range health {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if e := health[name]; e != nil {
			bad++
			rows = append(rows, finding(name, "bad", e.Error()))
		} else {
			rows = append(rows, finding(name, "ok", "healthy"))
		}
	}
	if in := config.Services["Account"]; len(in) == 1 && in[0].Connector == "DummyAccount" {
		rows = append(rows, finding("accounts", "note", "DummyAccount puts every agent into one team; write account.json where agents of several owners run"))
	}
	if err := a.table(rows); err != nil {
		return err
	}
	if bundle != "" {
		if err := a.support(ctx, rt, rows, bundle); err != nil {
			return err
		}
	}
	if bad > 0 {
		return fault.Newf(fault.Unavailable, "%s of the parts are not healthy", strconv.Itoa(bad))
	}
	return nil
}
