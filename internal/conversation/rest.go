package conversation

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// Shelf keeps results of tools that are too large to show a model whole.
type Shelf interface {
	// Put keeps a text and returns a handle for it, of letters, digits and hyphens.
	Put(ctx context.Context, text string) (handle string, err error)
	// Get returns the text of a handle. One that is not there is [fault.NotFound].
	Get(ctx context.Context, handle string) (string, error)
}

// rest knows whether a result was ever shortened: only then is the model shown the tool that reads on.
type rest struct {
	mu    sync.Mutex
	shelf Shelf
	some  bool
}

func (r *rest) used() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.some
}

// ReadMore is the name of the tool that reads on in a result that was too large.
const ReadMore = "read_more"

// readMore is the tool without what it does.
func readMore() *Tool {
	property := func(kind, about string) value.Value {
		return value.Obj(value.M("type", value.Of(kind)), value.M("description", value.Of(about)))
	}
	return &Tool{ToolSpec: llm.ToolSpec{
		Name: ReadMore, Description: "Reads on in the result of a tool that was too long to be shown whole.",
		Parameters: value.Obj(
			value.M("type", value.Of("object")),
			value.M("properties", value.Obj(
				value.M("handle", property("string", "The handle at the end of the shortened result.")),
				value.M("offset", property("integer", "The byte to read on from.")),
			)),
			value.M("required", value.Strings([]string{"handle", "offset"})),
		),
	}}
}

// fit returns as much of a result as a model is shown, with the way to the rest.
func (c *Conversation) fit(ctx context.Context, text string) string {
	limit := c.c.Limits.ToolResultBytes
	if len(text) <= limit {
		return text
	}
	handle, err := c.rest.shelf.Put(context.WithoutCancel(ctx), text)
	head := cut(text, limit)
	if err != nil {
		return fmt.Sprintf("%s\n[shortened: %d of %d bytes; the rest could not be kept]", head, len(head), len(text))
	}
	c.rest.mu.Lock()
	c.rest.some = true
	c.rest.mu.Unlock()
	return fmt.Sprintf("%s\n[shortened: %d of %d bytes; %s(handle=%q, offset=%d) reads on]", head, len(head), len(text), ReadMore, handle, len(head))
}

// shortened reports whether the history holds a result that can be read on.
func shortened(entries []Entry) bool {
	for _, e := range entries {
		for _, part := range e.Message.Content {
			if r, ok := part.(llm.ToolResult); ok && strings.HasSuffix(r.Text, " reads on]") {
				return true
			}
		}
	}
	return false
}

// more is what the tool does.
func (c *Conversation) more(ctx context.Context, u Use) (value.Value, error) {
	text, err := c.rest.shelf.Get(ctx, u.Args.GetString("handle"))
	if err != nil {
		return value.Value{}, err
	}
	n, ok := u.Args.Get("offset").Num()
	if !ok || !(n >= 0 && n < float64(len(text))) {
		return value.Value{}, fault.Newf(fault.Invalid, "the offset is to be at least 0 and less than %d", len(text))
	}
	from := int(n)
	for from > 0 && !utf8.RuneStart(text[from]) {
		from--
	}
	part := cut(text[from:], c.c.Limits.ToolResultBytes-200) // so that it is not shortened itself
	end := from + len(part)
	if end == len(text) {
		return value.Of(part), nil
	}
	return value.Of(fmt.Sprintf("%s\n[bytes %d to %d of %d]", part, from, end, len(text))), nil
}

// cut returns the beginning of a text, at most n bytes, without breaking a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// memory is a shelf of this process, for conversations that nobody keeps.
type memory struct {
	mu    sync.Mutex
	newID func() string
	texts map[string]string
}

func (m *memory) Put(_ context.Context, text string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := m.newID()
	m.texts[id] = text
	return id, nil
}

func (m *memory) Get(_ context.Context, handle string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	text, ok := m.texts[handle]
	if !ok {
		return "", fault.Newf(fault.NotFound, "there is no result with the handle %q", clip(handle))
	}
	return text, nil
}
