package llm

import (
	"context"
	"iter"
	"sync/atomic"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/llm/models"
)

// Handle is the models as one candidate may ask them: with the credentials of its team. It is safe for concurrent use.
type Handle struct {
	service   *Service
	candidate access.Candidate
}

// Candidate returns who the handle acts for.
func (h *Handle) Candidate() access.Candidate { return h.candidate }

// Used is published on the bus of the runtime once for each call that used something, also when it failed.
type Used struct {
	Candidate access.Candidate
	Team      string // "" when it is not known
	Model     string // id of the model
	Provider  string
	Usage     Usage
	Estimated bool  // the provider did not tell: it is an estimate
	Micros    int64 // what it costs, in millionths of a US dollar
	Priced    bool  // the price of the model is known; otherwise it counts as the dearest of the catalogue
	OwnKey    bool  // it was the team's key, not the operator's
}

// Info is what is known of a model before it is asked.
type Info struct {
	Model models.Model
	// Literal is set for models that answer with the prompt: instructions about the form of the answer must be left out.
	Literal bool
}

// Describe returns what is known of a model. The errors are those of asking it.
func (h *Handle) Describe(ctx context.Context, model string) (Info, error) {
	return h.describe(ctx, model, nil)
}

// DescribeModel is Describe for a model that a request describes itself, see [Request.Inline].
func (h *Handle) DescribeModel(ctx context.Context, m models.Model) (Info, error) {
	return h.describe(ctx, m.ID, &m)
}

func (h *Handle) describe(ctx context.Context, id string, inline *models.Model) (Info, error) {
	m, p, err := h.target(ctx, id, inline)
	if err != nil {
		return Info{}, h.wrap("llm.describe", p, id, err)
	}
	_, literal := p.conn.(Literal)
	return Info{m, literal}, nil
}

// Stream asks a model and gives the parts of its answer as they come: parts, then a [Finish] or an error, then nothing
// more. It can be ranged over once; stopping early ends the request. A tool call is given only when the answer is
// complete. When a model fails before it has said anything, the one that its entry names as fallback is asked instead.
func (h *Handle) Stream(ctx context.Context, req Request) iter.Seq2[Part, error] {
	return h.stream(ctx, req, true)
}

// Generate asks a model for a whole answer. When it fails, the response holds what came before.
func (h *Handle) Generate(ctx context.Context, req Request) (*Response, error) {
	return Collect(h.stream(ctx, req, false))
}

func (h *Handle) stream(ctx context.Context, req Request, partial bool) iter.Seq2[Part, error] {
	var ranged atomic.Bool
	return func(yield func(Part, error) bool) {
		if ranged.Swap(true) {
			yield(nil, h.wrap("llm.generate", provider{}, req.Model, fault.Newf(fault.Invalid, "an answer can be read once")))
			return
		}
		a := &attempt{handle: h, partial: partial, yield: yield}
		if err := a.answer(ctx, &req); err != nil && a.flush() {
			yield(nil, err)
		}
	}
}

// answer asks the model of the request, and when it fails before anything was shown the one that its entry names as
// fallback, and so on. The error is that of the first one, unless a later one has been heard.
func (a *attempt) answer(ctx context.Context, req *Request) error {
	fallback, err := a.persist(ctx, req)
	if err == nil || fallback == "" {
		return err
	}
	return a.askOthers(ctx, req, fallback, err)
}

// askOthers asks a fallback after the first model failed. It has a frame of its own, which those who wait for the first one
// do without.
func (a *attempt) askOthers(ctx context.Context, req *Request, fallback string, first error) error {
	asked := map[string]bool{req.Model: true}
	for err := first; ; {
		if err == nil || fallback == "" || asked[fallback] || a.shown || ctx.Err() != nil {
			if err != nil && !a.shown {
				err = first
			}
			return err
		}
		asked[fallback] = true
		next := req.plain(fallback)
		fallback, err = a.persist(ctx, &next)
	}
}

// persist asks one model, again when that may help. It returns the model to ask when this one fails.
func (a *attempt) persist(ctx context.Context, req *Request) (fallback string, err error) {
	clock := a.handle.service.clockOf()
	for n := 1; ; n++ {
		fallback, err = a.try(ctx, req)
		if a.renew(ctx, err) {
			fallback, err = a.try(ctx, req)
		}
		if err == nil || a.shown || n == maxAttempts || !again(err) || ctx.Err() != nil {
			return fallback, err
		}
		if waiting := pause(ctx, clock, backoff(clock, n, err), err); waiting != nil {
			return fallback, waiting
		}
	}
}

// renew reports whether the model may be asked again because its access token was refused, which another one can be had
// for: a token may end before its time. That is tried once.
func (a *attempt) renew(ctx context.Context, err error) bool {
	if err == nil || a.shown || !a.credential.renewable || !a.refused.IsZero() || ctx.Err() != nil || !fault.Is(err, fault.Unauthenticated) {
		return false
	}
	a.refused = a.credential.Optional()
	return true
}

// plain is the request for another model, without what only the first one may understand.
func (r *Request) plain(model string) Request {
	return Request{
		Model: model, Messages: r.Messages, Tools: r.Tools, ToolChoice: r.ToolChoice, MaxTokens: r.MaxTokens, Format: r.Format,
	}
}

// attempt asks for one answer, of one model after the other.
type attempt struct {
	handle  *Handle
	partial bool
	yield   func(Part, error) bool
	held    []Part // of an answer that is wanted whole
	shown   bool   // the caller has seen a part of the answer
	stopped bool   // the caller wants no more

	credential Credential   // that the model was asked with last
	refused    secret.Value // the access token that was refused
}

// try asks one model once. It returns the model to ask when this one fails.
func (a *attempt) try(ctx context.Context, req *Request) (fallback string, err error) {
	const op = "llm.generate"
	h := a.handle
	call, p, err := h.resolve(ctx, req, a.refused)
	a.credential = call.Credential
	if err != nil {
		return call.Target.Fallback, h.wrap(op, p, req.Model, err)
	}
	s := h.service
	g := s.gates.of(call, p.id)
	if err := g.enter(ctx, s.clock); err != nil {
		return call.Target.Fallback, h.wrap(op, p, call.Target.ID, err)
	}
	bill, err := h.reserve(ctx, call)
	if err != nil {
		g.leave(s.clock, context.Canceled) // nothing was asked
		return "", h.wrap(op, p, call.Target.ID, err)
	}
	call.Partial = a.partial
	var used Usage
	answered, length := false, 0
	a.held = a.held[:0]
	err = watch(ctx, &s.limits, func(ctx context.Context) iter.Seq2[Part, error] { return p.conn.Generate(ctx, call) }, func(part Part) bool {
		answered = true
		switch v := part.(type) {
		case Text:
			length += len(v.Text)
		case Thinking:
			length += len(v.Text)
		case Usage:
			used = v
		case Finish:
			v.Model = call.Target.ID
			part = v
			return a.release(part)
		}
		return a.show(part)
	})
	g.leave(s.clock, err)
	used, estimated := bill.settle(used, answered, length)
	h.publish(ctx, &call.Target, p, used, estimated, call.Credential)
	if err != nil {
		return call.Target.Fallback, h.wrap(op, p, call.Target.ID, err)
	}
	return "", nil
}

// show passes a part on, or holds it until the answer is whole.
func (a *attempt) show(part Part) bool {
	if !a.partial {
		a.held = append(a.held, part)
		return true
	}
	if _, isUsage := part.(Usage); !isUsage {
		a.shown = true
	}
	a.stopped = !a.yield(part, nil)
	return !a.stopped
}

// release passes on what was held, and the end.
func (a *attempt) release(end Part) bool {
	a.shown = true
	if a.flush() {
		a.stopped = !a.yield(end, nil)
	}
	return !a.stopped
}

// flush passes on what was held. It reports whether the caller wants more.
func (a *attempt) flush() bool {
	for _, part := range a.held {
		if a.stopped = a.stopped || !a.yield(part, nil); a.stopped {
			break
		}
	}
	a.held = nil
	return !a.stopped
}

// publish tells the bus what a call used.
func (h *Handle) publish(ctx context.Context, m *models.Model, p provider, used Usage, estimated bool, c Credential) {
	if used == (Usage{}) || h.service.events == nil {
		return
	}
	ctx = context.WithoutCancel(ctx) // it was used, whether or not anybody waits
	team, err := h.service.accounts.TeamOf(ctx, h.candidate)
	if err != nil {
		team = ""
	}
	prices, err := h.service.models.For(h.candidate).Prices(ctx, m)
	if err != nil {
		prices = models.Prices{}
	}
	event.Publish(ctx, h.service.events, Used{h.candidate, team, m.ID, p.id, used, estimated, cost(prices, used), prices.Known, c.Own()})
}

func (h *Handle) ready() bool { return h.service != nil && len(h.service.providers) > 0 }

func (h *Handle) wrap(op string, p provider, model string, err error) error {
	return &fault.Error{Op: op, Connector: p.id, Resource: model, Kind: fault.KindOf(err), Code: fault.CodeOf(err), Err: err}
}
