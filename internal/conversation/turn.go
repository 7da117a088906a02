package conversation

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// Prompt is what somebody says.
type Prompt struct {
	Text    string
	Files   []llm.File
	Headers value.Value // passed to the tools, absent for none
}

// Prompt answers a prompt and tells what happens, to the [End]. It is ranged over once. Stopping early and the end of
// ctx end the call of the model and of tools. After an error, which is the last pair, the history holds the prompt and
// what was complete: the conversation can go on. While a prompt is answered another one is [fault.Conflict].
func (c *Conversation) Prompt(ctx context.Context, p Prompt) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if !c.busy.TryLock() {
			yield(nil, fault.Hint(fault.Newf(fault.Conflict, "the conversation is answering another prompt"), "wait for its end, or begin another conversation"))
			return
		}
		defer c.busy.Unlock()
		if c.c.Bound != nil {
			var end context.CancelFunc
			ctx, end = c.c.Bound(ctx)
			defer end()
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		t := &turn{conv: c, prompt: p, cancel: cancel, yield: yield, repeats: newRepeats(c.c.Limits.IdenticalToolCalls), choice: c.c.Choice}
		if err := t.run(ctx); err != nil && !t.stopped {
			yield(nil, err)
		}
	}
}

// turn is the answer to one prompt.
type turn struct {
	conv    *Conversation
	prompt  Prompt
	cancel  context.CancelFunc
	yield   func(Event, error) bool
	stopped bool // nobody listens any more

	request string         // id of the present call of the model
	said    llm.Message    // the answer that asks for tools
	choice  llm.ToolChoice // of the next call
	last    bool           // the next call is the last one: no tools
	calls   int            // of tools so far
	bad     int            // answers in a row whose calls could not be made

	rejected int // answers of another form than the one asked for
	repeats  *repeats
	text     strings.Builder
	usage    llm.Usage
}

// tell tells an event. It is called on the goroutine that ranges over the answer.
func (t *turn) tell(e Event) {
	if t.stopped {
		return
	}
	if shown, ok := e.(Text); ok {
		t.text.WriteString(shown.Text)
	}
	if !t.yield(e, nil) {
		t.stopped = true
		t.cancel()
	}
}

func (t *turn) run(ctx context.Context) error {
	c := t.conv
	m := llm.Message{Role: llm.User}
	if t.prompt.Text != "" || len(t.prompt.Files) == 0 {
		m.Content = append(m.Content, llm.Text{Text: t.prompt.Text})
	}
	for _, f := range t.prompt.Files {
		m.Content = append(m.Content, f)
	}
	if err := c.add(ctx, c.entry(m)); err != nil {
		return err
	}
	for {
		answer, err := t.ask(ctx)
		if code := fault.CodeOf(err); err != nil && strings.HasPrefix(code, "BUDGET_EXCEEDED") && ctx.Err() == nil {
			return t.spent(ctx, err)
		}
		if err != nil {
			return err
		}
		if len(answer.Calls) == 0 || t.last {
			object, again, err := t.formed(ctx, answer)
			if err != nil {
				return err
			}
			if !again {
				return t.finish(ctx, answer, object)
			}
			continue
		}
		if err := t.useTools(ctx, answer); err != nil {
			return err
		}
	}
}

// ask asks the model once and passes on what it says.
func (t *turn) ask(ctx context.Context) (*llm.Response, error) {
	c := t.conv
	req := c.c.Settings
	req.Model, req.Raw, req.MaxTokens = c.c.Name, c.c.Raw, c.c.MaxOutput
	overhead := perMessage + c.c.Tokens.Count(c.c.System)
	if !t.last {
		req.Tools, req.ToolChoice = c.specs(), t.choice
		for _, s := range req.Tools {
			overhead += c.c.Tokens.Count(s.Name) + c.c.Tokens.Count(s.Description) + len(s.Parameters.JSON())/4
		}
	}
	t.choice = llm.Auto // a tool that had to be used was asked for
	req.Messages = c.window(overhead)
	t.request = "req_" + c.c.Effects.NewID()
	t.tell(Requested{Request: t.request, Model: c.c.Name, Window: req.Messages, Max: req.MaxTokens})
	answer, err := llm.Collect(t.passOn(c.c.Model.Stream(ctx, req)))
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if answer.Usage != (llm.Usage{}) {
		t.usage = t.usage.Add(answer.Usage)
		t.tell(Used{Request: t.request, Model: c.c.Name, Usage: answer.Usage, Reason: answer.Finish.Reason})
	}
	return answer, err
}

// passOn tells what comes from the model while it comes.
func (t *turn) passOn(parts iter.Seq2[llm.Part, error]) iter.Seq2[llm.Part, error] {
	return func(yield func(llm.Part, error) bool) {
		for p, err := range parts {
			if err == nil {
				switch p := p.(type) {
				case llm.Text:
					if p.Text != "" {
						t.tell(Text{Request: t.request, Text: p.Text})
					}
				case llm.Thinking:
					if p.Text != "" {
						t.tell(Thinking{Request: t.request, Text: p.Text})
					}
				case llm.Raw:
					t.tell(Raw{Request: t.request, JSON: p.JSON})
				}
			}
			if t.stopped || !yield(p, err) {
				return
			}
		}
	}
}

// finish ends the turn with the last answer.
func (t *turn) finish(ctx context.Context, answer *llm.Response, object value.Value) error {
	answer.Calls = nil // those of a last answer are not made
	if err := t.conv.add(ctx, t.conv.entry(answer.Message())); err != nil {
		return err
	}
	reason := answer.Finish.Reason
	if reason != llm.Stop && reason != llm.ToolCalls {
		t.tell(Interrupted{Request: t.request, Reason: string(reason)})
	}
	t.tell(End{Request: t.request, Text: t.text.String(), Object: object, Reason: reason, Usage: t.usage, Calls: t.calls})
	return nil
}

// spent ends the turn with an ordinary answer that names the budget which is used up.
func (t *turn) spent(ctx context.Context, err error) error {
	text := "I stopped here: " + said(err) + "."
	if t.text.Len() > 0 {
		text = "\n" + text
	}
	t.tell(Interrupted{Request: t.request, Reason: Spent})
	t.tell(Text{Request: t.request, Text: text})
	return t.finish(ctx, &llm.Response{Text: text, Finish: llm.Finish{Reason: llm.Stop, Raw: fault.CodeOf(err)}}, value.Value{})
}

// useTools calls the tools that an answer asks for, as far as the limit goes, and notes the answer with their results.
func (t *turn) useTools(ctx context.Context, answer *llm.Response) error {
	c := t.conv
	t.said = answer.Message()
	calls := make([]Call, len(answer.Calls))
	for i, asked := range answer.Calls {
		calls[i] = Call{Index: i, ID: asked.ID, Name: asked.Name, Arguments: asked.Arguments}
		if tool := c.tools[asked.Name]; tool != nil {
			calls[i].Label = tool.Label
		}
	}
	now := min(len(calls), c.c.MaxCalls-t.calls)
	t.calls += now
	t.tell(Planned{Request: t.request, Calls: calls[:now], Said: t.said})
	shown := t.text.Len()
	outcomes := t.callAll(ctx, calls[:now])
	for _, call := range calls[now:] {
		o := pending(call, c.c.MaxCalls)
		t.tell(Called{Request: t.request, Call: call, Result: o.result, Text: o.text, Pending: true})
		outcomes = append(outcomes, o)
	}
	results := c.entry(t.results(ctx, outcomes))
	results.Shown = t.text.String()[shown:]
	if err := c.add(ctx, c.entry(t.said), results); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return t.judge(ctx, outcomes)
}

// results is the message with what the tools answered.
func (t *turn) results(ctx context.Context, outcomes []outcome) llm.Message {
	m := llm.Message{Role: llm.Tool}
	for i := range outcomes {
		o := &outcomes[i]
		m.Content = append(m.Content, llm.ToolResult{CallID: o.call.ID, Name: o.call.Name, Text: t.conv.fit(ctx, o.text), Failed: o.failed})
	}
	return m
}

// judge decides how to go on after tools were called: as before, with a last answer, or not at all.
func (t *turn) judge(ctx context.Context, outcomes []outcome) error {
	c := t.conv
	bad := true
	for i := range outcomes {
		o := &outcomes[i]
		bad = bad && o.bad
		if o.bug != nil {
			return o.bug
		}
		if circle := t.repeats.note(o); circle != "" {
			return t.conclude(ctx, Loop, circle+". Do not call it again. Say what you found out and what is missing.")
		}
	}
	if t.bad++; !bad {
		t.bad = 0
	}
	if t.bad > maxBad {
		return &fault.Error{Op: "conversation", Kind: fault.Unavailable, Code: "MODEL_CALLS_INVALID", Err: fmt.Errorf("the model asked %d times in a row for tool calls that cannot be made", t.bad), Hint: "try another model, or describe the tools better"}
	}
	if t.calls >= c.c.MaxCalls && (len(outcomes) > 0 && outcomes[len(outcomes)-1].text == pendingText(c.c.MaxCalls)) {
		return t.conclude(ctx, MaxCalls, quotaText(c.c.MaxCalls))
	}
	return nil
}

// maxBad is how often in a row a model may ask for nothing that can be called.
const maxBad = 2

// conclude asks for a last answer without tools.
func (t *turn) conclude(ctx context.Context, reason, instruction string) error {
	t.last = true
	t.tell(Interrupted{Request: t.request, Reason: reason})
	e := t.conv.entry(llm.Say(llm.User, instruction))
	e.Internal = true
	return t.conv.add(ctx, e)
}

// pending is the outcome of a call that was not made because of the limit.
func pending(call Call, limit int) outcome {
	text := pendingText(limit)
	v := value.Obj(value.M("status", value.Of("pending")), value.M("message", value.Of("Tool execution deferred - limit reached")), value.M("pending", value.OfBool(true)))
	return outcome{call: call, text: text, result: v}
}

// The texts that a model is told are those of the reference: agents were tried with them.

func pendingText(limit int) string {
	return value.Obj(
		value.M("status", value.Of("pending")),
		value.M("message", value.Of(fmt.Sprintf("Tool execution deferred - maximum tool call limit (%d) reached for this request. This tool can be executed in a follow-up request.", limit))),
		value.M("pending", value.OfBool(true)),
	).JSON()
}

func quotaText(limit int) string {
	return fmt.Sprintf("You have reached the maximum number of tool calls (%d) for this request. Some tools are marked as \"pending\" and were not executed. "+
		"Please provide a helpful response based on the information you've gathered so far. You may acknowledge these pending tools and suggest the user can continue in a follow-up request.", limit)
}
