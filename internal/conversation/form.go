package conversation

import (
	"context"
	"fmt"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/jsonfix"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// maxRejected is how many answers of the wrong form are sent back for one prompt.
const maxRejected = 2

// CodeOutput is the code of the error that a model does not answer in the form that it was asked for.
const CodeOutput = "MODEL_OUTPUT_INVALID"

// object reads an answer that is to be JSON: as it is, in a block of code, or with something around it, and mended when it
// is almost JSON. It has to fit the schema.
func (c *Conversation) object(text string) (value.Value, error) {
	text = unfenced(text)
	v, err := value.Decode(text, value.DefaultLimits())
	if err != nil && strings.HasSuffix(text, "}") { // what was cut off is not guessed
		v = jsonfix.TryFullParse(text)
	}
	if !v.IsObject() {
		return value.Value{}, fault.Newf(fault.Invalid, "the answer is no JSON object")
	}
	if c.form != nil {
		return v, c.form.Check(v)
	}
	return v, nil
}

// unfenced is what stands in the block of code that a text is, or the text.
func unfenced(text string) string {
	text = strings.TrimSpace(text)
	inner, fenced := strings.CutPrefix(text, "```")
	if !fenced {
		return text
	}
	inner, closed := strings.CutSuffix(inner, "```")
	_, body, lines := strings.Cut(inner, "\n") // what follows the fence names the language
	if !closed || !lines {
		return text
	}
	return strings.TrimSpace(body)
}

// formed reads the last answer of a turn in the form that was asked for. again is true when the model is asked once more.
func (t *turn) formed(ctx context.Context, answer *llm.Response) (v value.Value, again bool, err error) {
	c := t.conv
	if !c.c.Settings.Format.JSON || answer.Finish.Reason != llm.Stop {
		return value.Value{}, false, nil
	}
	v, err = c.object(answer.Text)
	if err == nil {
		return v, false, nil
	}
	if t.rejected++; t.rejected > maxRejected {
		return value.Value{}, false, &fault.Error{
			Op: "conversation", Kind: fault.Unavailable, Code: CodeOutput,
			Err: fmt.Errorf("the model answered %d times in another form than the one asked for: %w", t.rejected, err), Hint: "try another model, or a simpler schema",
		}
	}
	t.tell(Rejected{Request: t.request, Err: err})
	t.text.Reset()
	e := c.entry(llm.Say(llm.User, "Your answer cannot be used: "+said(err)+". Answer again with one JSON object in the form asked for, and nothing else."))
	e.Internal = true
	return value.Value{}, true, c.add(ctx, c.entry(answer.Message()), e)
}
