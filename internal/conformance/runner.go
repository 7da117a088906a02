package conformance

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/testmodel"
	"github.com/sre-go/sre/internal/testtarget"
	"github.com/sre-go/sre/value"
)

// Runner runs single cases. It is safe for concurrent use.
type Runner struct {
	boot       Boot
	table      map[string]Difference
	source     effect.Source
	normaliser *Normaliser
}

// NewRunner returns a runner. A nil source means the system's.
func NewRunner(boot Boot, table []Difference, source effect.Source) *Runner {
	if source == nil {
		source = effect.System{}
	}
	r := &Runner{boot: boot, table: make(map[string]Difference, len(table)), source: source, normaliser: NewNormaliser()}
	for _, d := range table {
		r.table[d.Case] = d
	}
	return r
}

// Run runs one case and compares. It fails t only when a server or the runtime does not start.
func (r *Runner) Run(t testing.TB, c *Case) Outcome {
	t.Helper()
	o := Outcome{Case: c}
	difference, promised := r.table[c.Name]
	if o.Promised = promised; promised {
		o.Reason = difference.Reason
	}
	if c.Unclear {
		return o
	}
	want, err := c.Expected, error(nil)
	if promised {
		if want, err = difference.Promise(want); err != nil {
			o.Err = err
			return o
		}
	}
	got, places, err := r.play(t, c)
	if err != nil {
		o.Err = err
		return o
	}
	o.Data, o.Wire = r.compare(got, places.Fill(want))
	return o
}

// play runs a case and returns what came back in the form of the recordings.
func (r *Runner) play(t testing.TB, c *Case) (got value.Value, places Places, err error) {
	t.Helper()
	ctx := t.Context()
	target, err := testtarget.Start(ctx, value.Value{}, r.source)
	if err != nil {
		t.Fatalf("start the HTTP target: %v", err)
	}
	t.Cleanup(target.Close)
	model, err := testmodel.Start(ctx, testmodel.Script{}, r.source)
	if err != nil {
		t.Fatalf("start the model server: %v", err)
	}
	t.Cleanup(model.Close)
	places = Places{LLMBaseURL: model.URL(), HTTPBaseURL: target.URL(), Folder: t.TempDir()}
	target.SetRoutes(places.Fill(c.Routes))
	script, err := testmodel.ParseScript(places.Fill(c.Rules))
	if err != nil {
		return value.Value{}, places, err
	}
	model.SetScript(script)

	agent := value.Value{}
	if c.Agent != "" {
		if agent, err = value.Parse(places.Text(c.Agent)); err != nil {
			return value.Value{}, places, err
		}
	}
	subject := r.boot(t, c.environment(places))
	b := value.NewBuilder(8)
	switch c.Kind {
	case KindAgent:
		var responses []value.Value
		if responses, err = r.requests(ctx, subject, agent, c, places); err == nil {
			b.Set("responses", value.OfItems(responses))
		}
	case KindKernel, KindSDK:
		var results []value.Value
		if results, err = operate(ctx, subject, agent, c, places); err == nil {
			b.Set("results", value.OfItems(results))
		}
	case KindConversation:
		talker, ok := subject.(Talker)
		if !ok {
			return value.Value{}, places, errCannot
		}
		var said value.Value
		if said, err = talker.Converse(ctx, agent, c.Dialog.fill(places)); err == nil {
			for _, m := range said.Members() {
				b.Set(m.Key, m.Value)
			}
		}
	}
	b.Set("llm_requests", model.Requests()).Set("http_requests", target.Requests())
	return b.Build(), places, err
}

// errCannot is the error of a case of a kind that the subject does not offer.
var errCannot = errors.New("the subject offers no such interface")

func (c *Case) environment(p Places) Environment {
	env := Environment{
		Vault: p.Fill(c.Shared.Vault), Models: p.Fill(c.Shared.Models), Accounts: p.Fill(c.Shared.Accounts),
		LLMBaseURL: p.LLMBaseURL, HTTPBaseURL: p.HTTPBaseURL, Folder: p.Folder, Logs: c.Logs,
	}
	for _, agent := range c.Shared.Agents {
		env.Agents = append(env.Agents, p.Fill(agent))
	}
	return env
}

func (d Dialog) fill(p Places) Dialog {
	d.Model, d.Spec, d.Settings = p.Fill(d.Model), p.Fill(d.Spec), p.Fill(d.Settings)
	d.Tools = p.Fill(value.OfItems(d.Tools)).Items()
	d.Prompts = p.Fill(value.OfItems(d.Prompts)).Items()
	return d
}

// requests sends the requests of a case, one after the other or all at once.
func (r *Runner) requests(ctx context.Context, subject Subject, agent value.Value, c *Case, p Places) ([]value.Value, error) {
	responses := make([]value.Value, len(c.Requests))
	deployed, err := subject.Deploy(ctx, agent)
	if err != nil {
		for i := range responses {
			responses[i] = Response{Threw: err.Error()}.Value(Request{})
		}
		return responses, nil
	}
	defer deployed.Close()
	if !c.Parallel {
		for i, step := range c.Requests {
			if responses[i], err = r.request(ctx, deployed, step, p, responses[:i]); err != nil {
				return nil, err
			}
		}
		return responses, nil
	}
	var group sync.WaitGroup
	faults := make([]error, len(responses))
	for i, step := range c.Requests {
		group.Go(func() { responses[i], faults[i] = r.request(ctx, deployed, step, p, nil) })
	}
	group.Wait()
	return responses, errors.Join(faults...)
}

func (r *Runner) request(ctx context.Context, agent Agent, step Step, p Places, sofar []value.Value) (value.Value, error) {
	request, err := step.Request(p, sofar)
	if err != nil {
		return value.Value{}, err
	}
	if err := r.source.Sleep(ctx, step.Wait); err != nil {
		return value.Value{}, fault.Newf(fault.Canceled, "wait before the request: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, step.Timeout)
	defer cancel()
	response := agent.Run(limited, request)
	response.TimedOut = errors.Is(limited.Err(), context.DeadlineExceeded)
	if err := r.source.Sleep(ctx, step.Settle); err != nil {
		return value.Value{}, fault.Newf(fault.Canceled, "wait after the request: %w", err)
	}
	return response.Value(request), nil
}

// operate does the ops of a case one after the other.
func operate(ctx context.Context, subject Subject, agent value.Value, c *Case, p Places) ([]value.Value, error) {
	operator, ok := subject.(Operator)
	if !ok {
		return nil, errCannot
	}
	results := make([]value.Value, len(c.Ops))
	for i, op := range c.Ops {
		v, err := operator.Operate(ctx, agent, Op{Name: op.Name, Fields: p.Fill(op.Fields)})
		switch {
		case err != nil:
			results[i] = value.Obj(value.M("error", value.Of(err.Error())))
		case v.IsAbsent():
			results[i] = value.Obj(value.M("undefined", value.OfBool(true)))
		default:
			results[i] = value.Obj(value.M("value", v))
		}
	}
	return results, nil
}
