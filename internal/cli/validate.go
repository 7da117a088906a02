package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/value"
)

func (a *app) validate() *cobra.Command {
	return &cobra.Command{
		Use:   "validate FILE ...",
		Short: "Check agent files and list every fault",
		Long: "Checks agent files without running them and lists every fault with its place in the file. It ends with exit code 3\n" +
			"when a file has errors; warnings alone do not fail.",
		Example:           "  sre validate hello.smyth\n  sre validate agents/*.smyth --json",
		Args:              arguments(1, -1, "agent files"),
		ValidArgsFunction: smythFiles,
		RunE:              func(c *cobra.Command, args []string) error { return a.runValidate(c.Context(), args) },
	}
}

func (a *app) runValidate(ctx context.Context, files []string) (err error) {
	rt, err := a.start(ctx)
	if err != nil {
		return err
	}
	defer a.stop(rt, &err)
	bad := 0
	var report []value.Value
	for _, file := range files {
		problems, failed := a.problems(rt, file)
		if failed != nil && problems == nil {
			return failed
		}
		if len(problems.AtLeast(agentfile.Error)) > 0 {
			bad++
		}
		if a.json {
			report = append(report, problemReport(file, problems))
			continue
		}
		if err := a.print(problemLines(file, problems)...); err != nil {
			return err
		}
	}
	if a.json {
		if err := a.show(value.OfItems(report)); err != nil {
			return err
		}
	}
	if bad > 0 {
		return fault.Newf(fault.Invalid, "%d of %d files have errors", bad, len(files))
	}
	return nil
}

// problems reads a file and returns all that is wrong with it.
func (a *app) problems(rt *sre.Runtime, file string) (agentfile.Problems, error) {
	doc, err := rt.Read(a.path(file))
	if err != nil {
		var fatal agentfile.Problems
		errors.As(err, &fatal)
		return fatal, err
	}
	return rt.Problems(doc), nil
}

func problemLines(file string, problems agentfile.Problems) []string {
	if len(problems) == 0 {
		return []string{file + ": ok"}
	}
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = fmt.Sprintf("%s: %s: %s", file, p.Level, p)
	}
	return lines
}

func problemReport(file string, problems agentfile.Problems) value.Value {
	list := make([]value.Value, len(problems))
	for i, p := range problems {
		list[i] = value.Obj(value.M("level", value.Of(p.Level.String())), value.M("pointer", value.Of(p.Pointer)),
			value.M("component", value.Of(p.Component)), value.M("message", value.Of(p.Message)))
	}
	return value.Obj(value.M("file", value.Of(file)), value.M("ok", value.OfBool(len(problems.AtLeast(agentfile.Error)) == 0)),
		value.M("problems", value.OfItems(list)))
}
