package conversation

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/jsonfix"
	"github.com/sre-go/sre/internal/jsonschema"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// Tool is something that a model may ask for.
type Tool struct {
	llm.ToolSpec
	Label string // what is shown while it runs, "" for nothing
	// Check says what is wrong with arguments. The model is told, so that it can mend them. Without a Check the arguments
	// are those that fit the Parameters, numbers in quotes and the like put right.
	Check func(args value.Value) error
	// Do does it. An error is told to the model in its own words.
	Do func(ctx context.Context, u Use) (value.Value, error)

	schema *jsonschema.Schema // of the Parameters, nil when Check is used
}

// check returns the arguments that the tool is given, or what is wrong with them.
func (t *Tool) check(args value.Value) (value.Value, error) {
	switch {
	case t.Check != nil:
		return args, t.Check(args)
	case t.schema != nil:
		args = jsonschema.Coerce(t.Parameters, args)
		return args, t.schema.Check(args)
	}
	return args, nil
}

// Use is one call of a tool.
type Use struct {
	ID      string
	Args    value.Value // an object
	Headers value.Value // of the prompt
	// Of is the conversation, to look at.
	Of *Conversation
	// Show passes text, and what a model behind the tool thinks, to whoever reads the answer.
	Show func(text, thinking string)
	// Tell tells whoever reads the answer, and not the model, of something: see [Noted].
	Tell func(name string, data value.Value)
}

// outcome is what became of a call.
type outcome struct {
	call   Call
	args   value.Value
	result value.Value
	text   string
	failed bool
	bad    bool // the call could not even be made
	bug    error
}

// ParseArguments reads what a model wrote: JSON, or something that can be mended to it, such as JSON with single quotes.
// Nothing is an empty object.
func ParseArguments(text string) (value.Value, error) {
	if text == "" {
		return value.Obj(), nil
	}
	v, err := value.Decode(text, value.DefaultLimits())
	if err != nil && strings.HasSuffix(strings.TrimRight(text, " \t\r\n`"), "}") { // what was cut off is not guessed
		v = jsonfix.TryFullParse(text)
	}
	if !v.IsObject() {
		if err == nil {
			err = fault.Newf(fault.Invalid, "they are a %s", v.Kind())
		}
		return value.Value{}, fault.Newf(fault.Invalid, "the arguments are no JSON object: %w", err)
	}
	return v, nil
}

// call calls one tool. Whatever goes wrong is an answer to the model.
func (t *turn) call(ctx context.Context, c Call, tell func(Event)) (o outcome) {
	o.call = c
	tool := t.conv.tools[c.Name]
	if tool == nil {
		return o.refused(fault.Newf(fault.NotFound, "there is no tool %q", c.Name))
	}
	args, err := ParseArguments(c.Arguments)
	if err == nil {
		args, err = tool.check(args)
	}
	if err != nil {
		return o.refused(err)
	}
	o.args = args
	tell(Calling{Request: t.request, Call: c, Args: args, Said: t.said})
	show := func(text, thinking string) {
		if text != "" {
			tell(Text{Request: t.request, Text: text, Tool: true})
		}
		if thinking != "" {
			tell(Thinking{Request: t.request, Text: thinking, Tool: true})
		}
	}
	note := func(name string, data value.Value) { tell(Noted{Request: t.request, Name: name, Data: data}) }
	defer func() {
		if p := recover(); p != nil { // of the tool; what was thrown may hold data, so it is not told
			o.failed, o.text, o.result = true, "the tool failed: internal error", value.Of("the tool failed: internal error")
			o.bug = fault.Newf(fault.Internal, "tool %s panicked with a %T\n%s", c.Name, p, debug.Stack())
		}
	}()
	result, err := tool.Do(ctx, Use{ID: c.ID, Args: args, Headers: t.prompt.Headers, Of: t.conv, Show: show, Tell: note})
	if err != nil {
		o.failed, result = true, value.Of(said(err))
	}
	o.text = plain(result)
	o.result = result
	if text, ok := result.Str(); ok {
		if v, err := value.Parse(text); err == nil {
			o.result = v
		}
	}
	return o
}

// refused is the outcome of a call that is not made.
func (o outcome) refused(err error) outcome {
	v := value.Obj(value.M("error", value.Of(said(err))), value.M("code", value.Of("INVALID_TOOL_CALL")))
	o.failed, o.bad, o.result, o.text = true, true, v, v.JSON()
	return o
}

// said is an error in the words that a model is told: what happened, without where in the runtime it did.
func said(err error) string {
	var f *fault.Error
	for {
		next, ok := err.(*fault.Error) //nolint:errorlint // peeled off one by one
		if !ok || next.Err == nil {
			break
		}
		f, err = next, next.Err
	}
	if f != nil && f.Hint != "" {
		return fmt.Sprintf("%s (%s)", err, f.Hint)
	}
	return err.Error()
}

// plain is a result as text: JSON, but a string as it is.
func plain(v value.Value) string {
	if text, ok := v.Str(); ok {
		return text
	}
	if v.IsAbsent() {
		return ""
	}
	return v.JSON()
}
