package cli

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/budget"
	"github.com/sre-go/sre/internal/ledger"
	"github.com/sre-go/sre/value"
)

type usageFlags struct {
	by                 []string
	since              string
	team, agent, model string
}

func (a *app) usage() *cobra.Command {
	var f usageFlags
	c := &cobra.Command{
		Use:   "usage",
		Short: "Show what models were used for, and what it cost",
		Long: "Adds up the tokens and the money that calls of models have used, as their providers told it. What a provider did not\n" +
			"tell is an estimate (~), and a model whose price is not known counts as the dearest of the catalogue (?). Days are UTC.",
		Example: "  sre usage\n  sre usage --since 30d --by team,model\n  sre usage --agent hello --json",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.runUsage(c.Context(), f) },
	}
	c.Flags().StringSliceVar(&f.by, "by", []string{"day", "model"}, "what to add up by: "+strings.Join(ledger.Columns(), ", "))
	c.Flags().StringVar(&f.since, "since", "7d", "how far back, as in 7d or 2026-03-01; all for everything")
	c.Flags().StringVar(&f.team, "team", "", "of one team")
	c.Flags().StringVar(&f.agent, "agent", "", "of one agent")
	c.Flags().StringVar(&f.model, "model", "", "of one model")
	_ = c.RegisterFlagCompletionFunc("by", cobra.FixedCompletions(ledger.Columns(), cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (a *app) runUsage(ctx context.Context, f usageFlags) (err error) {
	since, err := sinceDay(f.since, effect.System{}.Now())
	if err != nil {
		return err
	}
	rt, err := a.start(ctx)
	if err != nil {
		return err
	}
	defer a.stop(rt, &err)
	rows, err := rt.Usage(ctx, sre.UsageQuery{Since: since, Team: f.team, Agent: f.agent, Model: f.model, By: f.by})
	if err != nil {
		return err
	}
	if a.json {
		return a.show(usageRows(f.by, rows))
	}
	if len(rows) == 0 || len(rows) == 1 && rows[0].Calls == 0 {
		return a.print("no model was used")
	}
	table := make([]row, 0, len(rows)+1)
	var total ledger.Counts
	for _, r := range rows {
		table = append(table, usageRow(f.by, r.By, r.Counts))
		total = sum(total, r.Counts)
	}
	if len(rows) > 1 {
		names := make([]string, len(f.by))
		names[0] = "total"
		table = append(table, usageRow(f.by, names, total))
	}
	return a.table(table)
}

// usageRow is a line for people.
func usageRow(by, values []string, c ledger.Counts) row {
	var r row
	for i, name := range by {
		r = append(r, column{name, values[i]})
	}
	in, money := strconv.FormatInt(c.Input+c.CacheWrite, 10), budget.Dollars(c.Micros)
	if c.Estimated > 0 {
		in = "~" + in
	}
	if c.Unpriced > 0 {
		money += " ?"
	}
	return append(r, column{"calls", strconv.FormatInt(c.Calls, 10)}, column{"in", in}, column{"cached", strconv.FormatInt(c.CacheRead, 10)},
		column{"out", strconv.FormatInt(c.Output, 10)}, column{"cost", money})
}

func sum(a, b ledger.Counts) ledger.Counts {
	return ledger.Counts{
		Calls: a.Calls + b.Calls, Input: a.Input + b.Input, CacheRead: a.CacheRead + b.CacheRead, CacheWrite: a.CacheWrite + b.CacheWrite, Output: a.Output + b.Output,
		Micros: a.Micros + b.Micros, Unpriced: a.Unpriced + b.Unpriced, Estimated: a.Estimated + b.Estimated,
	}
}

func usageRows(by []string, rows []ledger.Row) value.Value {
	list := make([]value.Value, len(rows))
	for i, r := range rows {
		b := value.NewBuilder(16)
		for j, name := range by {
			b.Set(name, value.Of(r.By[j]))
		}
		for _, c := range []struct {
			name string
			n    int64
		}{
			{"calls", r.Calls}, {"input", r.Input}, {"cacheRead", r.CacheRead}, {"cacheWrite", r.CacheWrite}, {"output", r.Output}, {"thinking", r.Thinking},
			{"images", r.Images}, {"searches", r.Searches}, {"unpricedCalls", r.Unpriced}, {"estimatedCalls", r.Estimated},
		} {
			b.Set(c.name, value.OfInt(int(c.n)))
		}
		list[i] = b.Set("dollars", value.OfNumber(float64(r.Micros)/1e6)).Build()
	}
	return value.OfItems(list)
}

// sinceDay reads "7d", a date, or "all".
func sinceDay(text string, now time.Time) (time.Time, error) {
	if text == "all" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n < 100_000 {
			return now.AddDate(0, 0, -max(n-1, 0)), nil
		}
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, nil
	}
	return time.Time{}, usageError{fault.Newf(fault.Invalid, "--since is a number of days such as 7d, a date such as 2026-03-01, or all; not %q", text)}
}
