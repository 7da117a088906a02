package cli

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/agent/scheduler"
	"github.com/sre-go/sre/value"
)

func (a *app) schedules() *cobra.Command {
	return a.group("schedule", "Let agents do things by themselves, at set times",
		"A job calls a skill of an agent, fires a trigger or says something to it, at an interval or at the times of a cron\n"+
			"expression. Jobs are kept in the data folder and run by `sre serve` while it serves the agent. What was missed while\n"+
			"nothing ran is made up for once. This command is the operator's: it sees the jobs of everybody.",
		"  sre schedule add hello.smyth --skill greet --every 10m name=Ada\n  sre schedule add report.smyth --prompt \"write the report\" --cron \"0 8 * * 1-5\"\n"+
			"  sre schedule list\n  sre schedule run hello-skill-greet hello.smyth\n  sre schedule pause hello-skill-greet",
		a.scheduleAdd(), a.scheduleList(), a.scheduleShow(), a.scheduleRun(),
		a.scheduleTurn("pause", "Keep jobs from running until they are resumed", "paused", (*scheduler.Handle).Pause),
		a.scheduleTurn("resume", "Let paused jobs run again", "resumed", (*scheduler.Handle).Resume),
		a.scheduleTurn("delete", "Delete jobs and what is known of their runs", "deleted", (*scheduler.Handle).Delete),
	)
}

func (a *app) scheduleList() *cobra.Command {
	var agent string
	c := &cobra.Command{
		Use: "list", Short: "List the jobs and when they are due", Args: arguments(0, 0, "no arguments"),
		Example: "  sre schedule list --agent hello --json",
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withRuntime(c.Context(), func(ctx context.Context, rt *sre.Runtime) error {
				list, err := rt.Jobs(ctx, agent)
				if err != nil {
					return err
				}
				if len(list) == 0 && !a.json {
					return a.print("no job is scheduled")
				}
				rows := make([]row, len(list))
				for i, e := range list {
					rows[i] = row{
						{"id", e.ID}, {"owner", e.Owner.String()}, {"does", harmless(clipLine(e.Job.String()))}, {"when", e.Schedule.String()},
						{"next", nextText(e)}, {"last", lastText(e)},
					}
				}
				return a.table(rows)
			})
		},
	}
	c.Flags().StringVar(&agent, "agent", "", "only jobs for one agent")
	return c
}

// nextText says when a job is due next.
func nextText(e scheduler.Entry) string {
	switch {
	case e.Paused:
		return "paused"
	case e.Progress.Next.IsZero():
		return "never"
	}
	return e.Progress.Next.UTC().Format(time.RFC3339)
}

// lastText says how the last run went.
func lastText(e scheduler.Entry) string {
	if len(e.Progress.History) == 0 {
		return "-"
	}
	o := e.Progress.History[0]
	state := "ok"
	if !o.Success {
		state = "failed"
	}
	return state + " " + o.At.UTC().Format(time.RFC3339)
}

func (a *app) scheduleShow() *cobra.Command {
	var owner string
	c := &cobra.Command{
		Use: "show ID", Short: "Show a job and how its runs went", Args: arguments(1, 1, "the id of a job"), ValidArgsFunction: a.jobIDs,
		RunE: func(c *cobra.Command, args []string) error {
			return a.withJob(c.Context(), args[0], owner, func(_ context.Context, _ *sre.Runtime, e scheduler.Entry) error {
				if a.json {
					return a.show(jobValue(e))
				}
				return a.print(jobText(e))
			})
		},
	}
	ownerFlag(c, &owner)
	return c
}

// jobText is a job for people.
func jobText(e scheduler.Entry) string {
	lines := []string{
		"job    " + e.ID, "owner  " + e.Owner.String(), "does   " + harmless(e.Job.String()), "when   " + e.Schedule.String(), "next   " + nextText(e),
	}
	if e.Job.Args.Len() > 0 {
		lines = append(lines, "inputs "+harmless(e.Job.Args.JSON()))
	}
	for _, o := range e.Progress.History {
		line := "  " + o.At.UTC().Format(time.RFC3339) + "  "
		if o.Success {
			line += "ok      "
		} else {
			line += "failed  "
		}
		if o.Took < time.Millisecond {
			line += "<1ms" // milliseconds are what is kept
		} else {
			line += o.Took.Round(time.Millisecond).String()
		}
		if o.Retries > 0 {
			line += ", " + strconv.Itoa(o.Retries) + " retries"
		}
		if o.Error != "" {
			line += "  " + harmless(clipLine(o.Error))
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// jobValue is a job for scripts.
func jobValue(e scheduler.Entry) value.Value {
	return value.Obj(
		value.M("id", value.Of(e.ID)), value.M("owner", value.Of(e.Owner.String())), value.M("paused", value.OfBool(e.Paused)),
		value.M("schedule", e.Schedule.Value()), value.M("jobConfig", e.Job.Value()), value.M("progress", e.Progress.Value()),
	)
}

// scheduleTurn is a command that does one thing to jobs.
func (a *app) scheduleTurn(name, short, done string, do func(*scheduler.Handle, context.Context, string) error) *cobra.Command {
	var owner string
	c := &cobra.Command{
		Use: name + " ID...", Short: short, Args: arguments(1, -1, "ids of jobs"), ValidArgsFunction: a.jobIDs,
		RunE: func(c *cobra.Command, args []string) error {
			for _, id := range args {
				err := a.withJob(c.Context(), id, owner, func(ctx context.Context, rt *sre.Runtime, e scheduler.Entry) error {
					return do(rt.As(e.Owner).Scheduler(), ctx, e.ID)
				})
				if err != nil {
					return err
				}
				a.hint(done + " " + id)
			}
			return nil
		},
	}
	ownerFlag(c, &owner)
	return c
}

func (a *app) scheduleRun() *cobra.Command {
	var owner string
	c := &cobra.Command{
		Use: "run ID FILE|FOLDER...", Short: "Run a job now, with the agents of the given files",
		Long: "Runs a job at once, whether it is due or not, waits for its end and prints what it came to. When it is due next stays\n" +
			"as it was.",
		Example: "  sre schedule run hello-skill-greet hello.smyth",
		Args:    arguments(2, -1, "the id of a job, and agent files or folders of them"), ValidArgsFunction: a.jobIDs,
		RunE: func(c *cobra.Command, args []string) error {
			return a.withJob(c.Context(), args[0], owner, func(ctx context.Context, rt *sre.Runtime, e scheduler.Entry) error {
				if _, err := a.loadAll(ctx, rt, args[1:]); err != nil {
					return err
				}
				o, err := rt.RunJob(ctx, e.Owner, e.ID)
				if err != nil {
					return err
				}
				if !o.Success {
					return &fault.Error{Op: "schedule.run", Resource: e.ID, Kind: fault.Internal, Err: fault.Newf(fault.Internal, "%s", o.Error)}
				}
				if a.json {
					return a.show(o.Value().With("result", o.Result))
				}
				return a.show(o.Result)
			})
		},
	}
	ownerFlag(c, &owner)
	return c
}

func ownerFlag(c *cobra.Command, owner *string) {
	c.Flags().StringVar(owner, "owner", "", "whose job it is, such as agent:hello, when several have one of that id")
}

// withJob does something with the job of an id.
func (a *app) withJob(ctx context.Context, id, owner string, do func(context.Context, *sre.Runtime, scheduler.Entry) error) error {
	return a.withRuntime(ctx, func(ctx context.Context, rt *sre.Runtime) error {
		if owner != "" {
			c, err := access.Parse(owner)
			if err != nil {
				return usageError{err}
			}
			e, err := rt.As(c).Scheduler().Get(ctx, id)
			if err != nil {
				return err
			}
			return do(ctx, rt, e)
		}
		list, err := rt.Jobs(ctx, "")
		if err != nil {
			return err
		}
		var ids, owners []string
		var found scheduler.Entry
		for _, e := range list {
			ids = append(ids, e.ID)
			if e.ID == id {
				found, owners = e, append(owners, e.Owner.String())
			}
		}
		switch len(owners) {
		case 0:
			return unknownJob(id, ids)
		case 1:
			return do(ctx, rt, found)
		}
		return usageError{fault.Newf(fault.Invalid, "several have a job %q; choose one with --owner: %s", id, strings.Join(owners, ", "))}
	})
}

// jobIDs completes the id of a job.
func (a *app) jobIDs(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if c.Name() == "run" && len(args) > 0 {
		return []string{"smyth"}, cobra.ShellCompDirectiveFilterFileExt
	}
	var ids []string
	_ = a.withRuntime(c.Context(), func(ctx context.Context, rt *sre.Runtime) error { // nothing is offered then
		list, err := rt.Jobs(ctx, "")
		for _, e := range list {
			ids = append(ids, e.ID+"\t"+e.Schedule.String())
		}
		return err
	})
	return ids, cobra.ShellCompDirectiveNoFileComp
}
