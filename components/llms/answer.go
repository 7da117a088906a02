package llms

import (
	"errors"
	"iter"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/jsonfix"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// parse reads the text of an answer. JSON in it counts, whatever is around it; of a literal model only text that is
// JSON as a whole does.
func parse(text string, literal bool) value.Value {
	if !literal {
		return jsonfix.TryParse(text)
	}
	if v := jsonfix.TryFullParse(text); !v.Get("error").Truthy() {
		return v
	}
	return value.Of(text)
}

// complaint is the error that an answer reports in its own member "error".
func complaint(reply value.Value, reason llm.Reason) error {
	e := reply.Get("error")
	if !e.Truthy() {
		return nil
	}
	if reason != llm.Stop {
		return fault.Newf(fault.Unavailable, "Error: The model stopped before completing the response, this is usually due to output token limit reached. ")
	}
	return fault.Newf(fault.Unavailable, "Error: %s %s", e.Plain(), reply.Get("details").Plain())
}

// failed is the error of a model that could not be asked, in the form that agents know: what a provider said stands in
// its own words.
func failed(err error) error {
	text := err.Error()
	var said *llm.ProviderError
	if errors.As(err, &said) {
		text = said.Error()
	}
	return &fault.Error{Kind: fault.KindOf(err), Code: fault.CodeOf(err), Err: &failure{"Error: " + text + " ", err}}
}

// failure shows another text than the error it stands for.
type failure struct {
	text  string
	cause error
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.cause }

// passing shows the parts of an answer to whoever watches the run, on their way.
func passing(call *component.Call, parts iter.Seq2[llm.Part, error]) iter.Seq2[llm.Part, error] {
	return func(yield func(llm.Part, error) bool) {
		for p, err := range parts {
			if call.Host != nil {
				switch p := p.(type) {
				case llm.Text:
					if p.Text != "" {
						call.Host.Emit(call, component.Delta{Content: p.Text})
					}
				case llm.Thinking:
					call.Host.Emit(call, component.Delta{Thinking: p.Text})
				}
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// shown returns a value as a log shows it: text as it is, everything else as JSON over several lines.
func shown(v value.Value) string {
	if text, ok := v.Str(); ok {
		return text
	}
	return v.Indent("  ")
}

// plainly is the error of a model that could not be asked, in the form that GenAILLM has always told it.
func plainly(err error) error {
	text := err.Error()
	var said *llm.ProviderError
	if errors.As(err, &said) {
		text = said.Error()
	}
	return &fault.Error{Kind: fault.KindOf(err), Code: fault.CodeOf(err), Err: &failure{text + " ", err}}
}

// passingLines is passing for a component that ends what it shows with a line end, and shows line ends in one line.
func passingLines(call *component.Call, parts iter.Seq2[llm.Part, error]) iter.Seq2[llm.Part, error] {
	return func(yield func(llm.Part, error) bool) {
		if call.Host == nil {
			parts(yield)
			return
		}
		for p, err := range parts {
			switch p := p.(type) {
			case llm.Text:
				if p.Text != "" {
					call.Host.Emit(call, component.Delta{Content: p.Text, OneLine: true})
				}
			case llm.Thinking:
				call.Host.Emit(call, component.Delta{Thinking: p.Text, OneLine: true})
			case llm.Finish:
				call.Host.Emit(call, component.Delta{Content: "\n", OneLine: true})
			}
			if !yield(p, err) {
				return
			}
		}
	}
}
