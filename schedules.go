package sre

import (
	"context"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/conversation"
	"github.com/sre-go/sre/internal/redact"
	"github.com/sre-go/sre/subsystem/agent/scheduler"
	"github.com/sre-go/sre/value"
)

// This file runs the jobs of the Scheduler service: it is what a job means for an agent.

// schedule readies the runner of jobs. Without the service there are no jobs.
func (rt *Runtime) schedule(events *event.Bus) {
	rt.jobs, _ = connector.Find(rt.kernel.Services(), scheduler.Kind)
	rt.runner = scheduler.NewRunner(scheduler.RunnerConfig{
		Service: rt.jobs, Knows: rt.knowsAgent, Do: rt.doJob, Effects: rt.effects, Events: events, Log: rt.log,
	})
}

// RunJobs begins to run the jobs that are due, until the runtime is closed, which then waits for the ones under way as
// long as for other runs. Only jobs of agents that are loaded by then, or that the AgentData service knows, are run.
// Where the connector says runJobs: false nothing happens: another process runs them.
func (rt *Runtime) RunJobs(ctx context.Context) {
	if rt.jobs.Policy().Run {
		rt.runner.Start(ctx)
	}
}

// Jobs returns the jobs of everybody, or only those for an agent. It is the operator's view, not for agents: theirs is
// [Agent.Services].
func (rt *Runtime) Jobs(ctx context.Context, agent string) ([]scheduler.Entry, error) {
	var list []scheduler.Entry
	for e, err := range rt.jobs.All(ctx) {
		if err != nil {
			return nil, err
		}
		if agent == "" || e.Job.Agent == agent {
			list = append(list, e)
		}
	}
	return list, nil
}

// RunJob runs a job at once, whether it is due or not, and returns how that went.
func (rt *Runtime) RunJob(ctx context.Context, owner access.Candidate, id string) (scheduler.Outcome, error) {
	return rt.runner.RunNow(ctx, owner, id)
}

// EndJobs runs no more jobs, and waits for those under way. They are cancelled when that takes longer than the time that
// runs have when a server stops. [Runtime.Close] does so too.
func (rt *Runtime) EndJobs(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, rt.config.Limits.DrainTime)
	defer cancel()
	if err := rt.runner.Close(ctx); err != nil {
		rt.log.WarnContext(ctx, "jobs were cancelled that did not end in time")
	}
}

// jobAgent returns the agent of a job: a loaded one, or one that its owner may find.
func (rt *Runtime) jobAgent(ctx context.Context, e scheduler.Entry) (*Agent, error) {
	a, err := rt.agents.Reach(ctx, rt.As(e.Owner), e.Job.Agent, "")
	if err != nil {
		return nil, err
	}
	return &Agent{a, rt}, nil
}

// knowsAgent reports whether the agent of a job is served here.
func (rt *Runtime) knowsAgent(ctx context.Context, e scheduler.Entry) bool {
	_, err := rt.jobAgent(ctx, e)
	return err == nil
}

// doJob does a job once. What comes out of it holds no secrets of the agent's team.
func (rt *Runtime) doJob(ctx context.Context, e scheduler.Entry) (value.Value, error) {
	a, err := rt.jobAgent(ctx, e)
	if err != nil {
		return value.Value{}, fault.Newf(fault.NotFound, "Job execution skipped, agent not found: %s", e.Job.Agent)
	}
	var result value.Value
	switch e.Job.Type {
	case scheduler.SkillJob:
		result, err = a.jobSkill(ctx, e.Job)
	case scheduler.TriggerJob:
		result, err = a.jobTrigger(ctx, e.Job)
	case scheduler.PromptJob:
		result, err = a.jobPrompt(ctx, e.Job)
	}
	if err != nil {
		return value.Value{}, a.withoutSecrets(err)
	}
	return redact.Value(a.Redactor(), result), nil
}

func (a *Agent) jobSkill(ctx context.Context, job scheduler.Job) (value.Value, error) {
	if _, err := a.Skill(job.Skill); err != nil {
		return value.Value{}, fault.Newf(fault.NotFound, "Skill %s not found in agent %s", job.Skill, a.ID())
	}
	args := job.Args
	if args.IsAbsent() {
		args = value.Obj()
	}
	return answered(a.Call(ctx, job.Skill, args))
}

func (a *Agent) jobTrigger(ctx context.Context, job scheduler.Job) (value.Value, error) {
	req := Request{Method: "POST", Path: "/trigger/" + job.Trigger, Body: value.Obj()}
	if _, ok := a.Plan().Endpoint(req.Method, req.Path); !ok {
		return value.Value{}, fault.Newf(fault.NotFound, "Trigger %s not found in agent %s", job.Trigger, a.ID())
	}
	return answered(a.Answer(ctx, req))
}

// jobPrompt says something to the agent, in a conversation that is not kept.
func (a *Agent) jobPrompt(ctx context.Context, job scheduler.Job) (value.Value, error) {
	if !a.Document().DefaultModel.Truthy() {
		err := fault.Newf(fault.Invalid, "No model configured for agent %s", a.ID())
		return value.Value{}, fault.Hint(err, "set defaultModel in the agent's file")
	}
	chat, err := a.Chat(ctx, ChatOptions{ID: "job-" + a.runtime.effects.NewID()})
	if err != nil {
		return value.Value{}, err
	}
	text := ""
	for ev, err := range chat.Prompt(ctx, Prompt{Text: job.Prompt}) {
		if err != nil {
			return value.Value{}, err
		}
		if end, ok := ev.(conversation.End); ok {
			text = end.Text
		}
	}
	return value.Of(text), nil
}

// answered turns an answer that holds the error of a component, which nothing of the agent deals with, into that error.
func answered(data value.Value, err error) (value.Value, error) {
	if err != nil {
		return data, err
	}
	items := data.Items()
	if data.IsObject() {
		items = []value.Value{data}
	}
	for _, item := range items {
		failed := item.Get("result").Get(component.KeyError)
		if item.Get("result").IsNil() && item.Has("id") && item.Has("name") {
			failed = item.Get(component.KeyHardError)
		}
		if failed.Truthy() {
			return value.Value{}, fault.Newf(fault.Internal, "%s", strings.TrimPrefix(item.GetString("name")+": "+failed.Text(), ": "))
		}
	}
	return data, nil
}
