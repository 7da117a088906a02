package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/subsystem/agent/scheduler"
	"github.com/sre-go/sre/value"
)

// scheduleFlags are the flags of sre schedule add.
type scheduleFlags struct {
	id, name, skill, trigger, prompt string
	every, cron, starts, ends        string
	retries                          int
	timeout                          time.Duration
}

func (a *app) scheduleAdd() *cobra.Command {
	var f scheduleFlags
	c := &cobra.Command{
		Use:   "add FILE [--skill NAME | --trigger NAME | --prompt TEXT] [--every 10m | --cron EXPR] [input=value ...]",
		Short: "Schedule a job of an agent",
		Long: "Schedules a job of the agent in FILE, which owns it. Inputs of a skill are given as for `sre agent`. A job with the same\n" +
			"id is replaced, and keeps its history. A cron expression has five fields, minute, hour, day of the month, month and\n" +
			"day of the week, in UTC. A server that is running notices the job within seconds.",
		Example: "  sre schedule add hello.smyth --skill greet --every 10m name=Ada\n  sre schedule add report.smyth --prompt \"write the report\" --cron \"0 8 * * 1-5\" --retries 3",
		Args:    arguments(1, -1, "an agent file and inputs of the skill"), ValidArgsFunction: smythFiles,
		RunE: func(c *cobra.Command, args []string) error {
			return a.runScheduleAdd(c.Context(), args[0], args[1:], f)
		},
	}
	c.Flags().StringVar(&f.skill, "skill", "", "skill that is called")
	c.Flags().StringVar(&f.trigger, "trigger", "", "trigger that is fired")
	c.Flags().StringVar(&f.prompt, "prompt", "", "what is said to the agent")
	c.Flags().StringVar(&f.every, "every", "", "interval: 30s, 10m, 2h, 1d or 1w")
	c.Flags().StringVar(&f.cron, "cron", "", "cron expression, such as \"0 8 * * 1-5\"")
	c.Flags().StringVar(&f.starts, "starts", "", "no run before this time, such as 2027-01-31T08:00:00Z")
	c.Flags().StringVar(&f.ends, "ends", "", "no run after this time")
	c.Flags().StringVar(&f.id, "id", "", "id of the job; <agent>-<type>-<name> without")
	c.Flags().StringVar(&f.name, "name", "", "what the job is for")
	c.Flags().IntVar(&f.retries, "retries", 0, "attempts after one that failed")
	c.Flags().DurationVar(&f.timeout, "timeout", 0, "time for one attempt, 0 for the limits of the runtime")
	complete(c, "every", []string{"30s", "10m", "1h", "1d", "1w"})
	_ = c.RegisterFlagCompletionFunc("skill", func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) { // the flag was just added
		if len(args) == 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return a.skillNames(c.Context(), args[0]), cobra.ShellCompDirectiveNoFileComp
	})
	return c
}

func (a *app) runScheduleAdd(ctx context.Context, file string, args []string, f scheduleFlags) error {
	s, err := f.schedule()
	if err != nil {
		return err
	}
	return a.withRuntime(ctx, func(ctx context.Context, rt *sre.Runtime) error {
		agent, err := rt.LoadFile(ctx, a.path(file))
		if err != nil {
			return err
		}
		job, err := a.job(agent, args, f)
		if err != nil {
			return err
		}
		id := f.id
		if id == "" {
			id = jobID(job)
		}
		e, err := agent.Services().Scheduler().Add(ctx, id, job, s)
		if err != nil {
			return err
		}
		if a.json {
			return a.show(jobValue(e))
		}
		return a.print("scheduled " + e.ID + ": " + harmless(clipLine(e.Job.String())) + ", " + e.Schedule.String() + ", next " + nextText(e))
	})
}

// schedule reads when.
func (f scheduleFlags) schedule() (scheduler.Schedule, error) {
	if f.every == "" && f.cron == "" {
		return scheduler.Schedule{}, usageError{fault.Newf(fault.Invalid, "say when: --every 10m, or --cron \"0 8 * * 1-5\"")}
	}
	v := value.NewBuilder(4)
	for _, m := range []struct{ key, text string }{{"interval", f.every}, {"cron", f.cron}, {"startDate", f.starts}, {"endDate", f.ends}} {
		if m.text != "" {
			v.Set(m.key, value.Of(m.text))
		}
	}
	s, err := scheduler.ParseSchedule(v.Build())
	if err == nil {
		err = s.Check()
	}
	if err != nil {
		return s, usageError{err}
	}
	return s, nil
}

// job reads what is to be done, and checks that the agent can do it.
func (a *app) job(agent *sre.Agent, args []string, f scheduleFlags) (scheduler.Job, error) {
	job := scheduler.Job{
		Agent: agent.ID(), Skill: f.skill, Trigger: f.trigger, Prompt: f.prompt, Name: f.name,
		Retry: f.retries > 0, MaxRetries: f.retries, Timeout: f.timeout,
	}
	var kinds []scheduler.JobType
	for _, k := range []struct {
		text string
		kind scheduler.JobType
	}{{f.skill, scheduler.SkillJob}, {f.trigger, scheduler.TriggerJob}, {f.prompt, scheduler.PromptJob}} {
		if k.text != "" {
			kinds = append(kinds, k.kind)
		}
	}
	if len(kinds) != 1 {
		return job, usageError{fault.Newf(fault.Invalid, "say what to do with one of --skill, --trigger and --prompt")}
	}
	job.Type = kinds[0]
	if job.Type != scheduler.SkillJob && len(args) > 0 {
		return job, usageError{fault.Newf(fault.Invalid, "only a skill takes inputs, not %q", args[0])}
	}
	switch job.Type {
	case scheduler.SkillJob:
		skill, err := agent.Skill(f.skill)
		if err != nil {
			return job, err
		}
		in, err := a.inputs(skill, args)
		if err != nil {
			return job, err
		}
		if len(in.files) > 0 {
			return job, usageError{fault.Newf(fault.Invalid, "a job keeps no files; store the file and give its smythfs:// address as %s", in.files[0].Field)}
		}
		job.Args = in.values
	case scheduler.TriggerJob:
		if err := triggerOf(agent, f.trigger); err != nil {
			return job, err
		}
	case scheduler.PromptJob:
		if !agent.Document().DefaultModel.Truthy() {
			err := fault.Newf(fault.Invalid, "No model configured for agent %s", agent.ID())
			return job, fault.Hint(err, "set defaultModel in the agent's file")
		}
	}
	return job, nil
}

// triggerOf refuses a trigger that the agent does not have.
func triggerOf(agent *sre.Agent, name string) error {
	var names []string
	for i := range agent.Document().Components {
		if t := agent.Document().Components[i].Trigger; t == name {
			return nil
		} else if t != "" {
			names = append(names, t)
		}
	}
	return fault.New(fault.NotFound, schema.UnknownName("trigger", name, names))
}

// jobID is the id of a job that got none: that of its agent, what it is, and what it does.
func jobID(job scheduler.Job) string {
	what := job.Skill
	switch job.Type {
	case scheduler.TriggerJob:
		what = job.Trigger
	case scheduler.PromptJob:
		what = job.Prompt
	}
	words := strings.FieldsFunc(strings.ToLower(what), func(r rune) bool { return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_') })
	if job.Type == scheduler.SkillJob && scheduler.ValidID(what) == nil {
		words = []string{what}
	}
	if len(words) > 6 {
		words = words[:6]
	}
	id := job.Agent + "-" + string(job.Type) + "-" + strings.Join(words, "-")
	return strings.TrimRight(id[:min(len(id), 120)], "-. ")
}

// unknownJob names the nearest job.
func unknownJob(id string, ids []string) error {
	return fault.New(fault.NotFound, schema.UnknownName("job", id, ids))
}
