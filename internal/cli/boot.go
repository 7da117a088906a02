package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre/value"
)

func (a *app) boot() *cobra.Command {
	var explain bool
	c := &cobra.Command{
		Use:     "boot [--explain]",
		Short:   "Start the services, say how it went, and stop",
		Long:    "Starts everything that the configuration names, in the four phases of a boot, and closes it again. With --explain\nevery step is shown with its time and where its setting comes from.",
		Example: "  sre boot --explain",
		Args:    arguments(0, 0, "no arguments"),
		RunE:    func(c *cobra.Command, _ []string) error { return a.runBoot(c.Context(), explain) },
	}
	c.Flags().BoolVar(&explain, "explain", false, "show every step")
	return c
}

func (a *app) runBoot(ctx context.Context, explain bool) (err error) {
	rt, err := a.start(ctx)
	if err != nil {
		return err
	}
	defer a.stop(rt, &err)
	report := rt.Boot()
	if a.json {
		phases := make([]value.Value, len(report.Phases))
		for i, p := range report.Phases {
			steps := make([]value.Value, len(p.Steps))
			for k, s := range p.Steps {
				steps[k] = value.Obj(value.M("name", value.Of(s.Name)), value.M("detail", value.Of(s.Detail)), value.M("ms", milliseconds(s.Took)))
			}
			phases[i] = value.Obj(value.M("name", value.Of(p.Name)), value.M("ms", milliseconds(p.Took)), value.M("steps", value.OfItems(steps)))
		}
		return a.show(value.Obj(value.M("ms", milliseconds(report.Took())), value.M("phases", value.OfItems(phases))))
	}
	for i, p := range report.Phases {
		if err := a.print(fmt.Sprintf("%d  %-28s %9s", i+1, p.Name, short(p.Took))); err != nil {
			return err
		}
		if !explain {
			continue
		}
		for _, s := range p.Steps {
			if err := a.print(strings.TrimRight(fmt.Sprintf("     %-25s %9s  %s", s.Name, short(s.Took), s.Detail), " ")); err != nil {
				return err
			}
		}
	}
	return a.print(fmt.Sprintf("booted in %s, data folder %s", short(report.Took()), rt.Dir()))
}

func short(d time.Duration) string { return d.Round(time.Microsecond).String() }

func milliseconds(d time.Duration) value.Value {
	return value.OfNumber(float64(d.Microseconds()) / 1000)
}
