// Package conversation is the loop between a model and the tools of an agent.
//
// A prompt is sent to the model with what was said before; when the model asks for tools they are called and their
// results sent back, until it answers without asking for one. The model is taken for an adversary: it may only ask for
// the tools that it was shown, with arguments that fit, no more often than the limits allow, and what a tool answered
// is data. Everything that happens is told as an [Event], whoever provides the model.
//
// What was said is kept as [Entry] values. A call and its result stay together, in the history and in the window that
// a model is shown, so that no provider refuses what it is sent.
package conversation

import (
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/jsonschema"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

// Model is what is asked; an [llm.Handle] is one.
type Model interface {
	Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Part, error]
}

// Counter counts the tokens of a text.
type Counter interface{ Count(text string) int }

// Store keeps the entries of a conversation. Append is given each entry once, in order.
type Store interface {
	Append(ctx context.Context, entries []Entry) error
}

// Config says how a conversation is held. Model, Name, Effects and Tokens are required.
type Config struct {
	ID     string // of the conversation, for those who show it
	Model  Model
	Name   string // id of the model
	System string
	Tools  []Tool
	Choice llm.ToolChoice // whether tools are to be used in the first call of a prompt

	MaxInput  int // tokens that the model is shown, 0 for 128k
	MaxOutput int // tokens of one answer, 0 for 8192
	MaxCalls  int // of tools for one prompt, 0 for the limit of the runtime
	Parallel  int // tools that are called at once, 0 for 4

	Settings llm.Request // temperature, format and so on of every call; its messages and tools do not count
	Raw      bool        // tell [Raw] events

	// Bound returns the context of a prompt; nil leaves it as it is.
	Bound func(context.Context) (context.Context, context.CancelFunc)

	Store   Store // nil keeps the history in memory only
	Shelf   Shelf // of large results; nil keeps them in memory
	Limits  limits.Limits
	Effects effect.Source
	Tokens  Counter
}

// What a conversation takes when its Config does not tell.
const (
	defaultInput    = 128 << 10
	defaultOutput   = 8192
	defaultParallel = 4
)

// Conversation is what was said between somebody and a model. One prompt is answered at a time; others are refused
// meanwhile. It is safe for concurrent use.
type Conversation struct {
	c     Config
	tools map[string]*Tool
	form  *jsonschema.Schema // of the last answer, nil for any

	rest rest
	busy sync.Mutex // held while a prompt is answered

	mu      sync.Mutex
	entries []Entry
}

// New returns a conversation that goes on after entries, which may be empty.
func New(c Config, entries []Entry) (*Conversation, error) {
	if c.MaxInput <= 0 {
		c.MaxInput = defaultInput
	}
	if c.MaxOutput <= 0 {
		c.MaxOutput = defaultOutput
	}
	if c.Limits == (limits.Limits{}) {
		c.Limits = limits.Default()
	}
	if c.MaxCalls <= 0 || c.MaxCalls > c.Limits.ToolCalls {
		c.MaxCalls = c.Limits.ToolCalls
	}
	c.Tools = slices.Clone(c.Tools)
	if c.Parallel <= 0 {
		c.Parallel = defaultParallel
	}
	conv := &Conversation{c: c, tools: make(map[string]*Tool, len(c.Tools)), entries: entries}
	for i := range c.Tools {
		t := &c.Tools[i]
		if _, twice := conv.tools[t.Name]; twice {
			return nil, fault.Hint(fault.Newf(fault.Conflict, "two tools have the name %q", t.Name), "rename one of them")
		}
		if t.Check == nil {
			t.schema, _ = jsonschema.Compile(t.Parameters) // one that has no bounds is left to the tool
		}
		conv.tools[t.Name] = t
	}
	if f := c.Settings.Format; f.JSON && !f.Schema.IsNil() {
		var err error
		if conv.form, err = jsonschema.Compile(f.Schema); err != nil {
			return nil, err
		}
	}
	if conv.rest.shelf = c.Shelf; conv.rest.shelf == nil {
		conv.rest.shelf = &memory{newID: c.Effects.NewID, texts: map[string]string{}}
	}
	conv.rest.some = c.Shelf != nil && shortened(entries)
	if conv.tools[ReadMore] == nil {
		more := readMore()
		more.Do = conv.more
		conv.tools[ReadMore] = more
	}
	return conv, nil
}

// Entries returns what was said so far, oldest first. It must not be changed.
func (c *Conversation) Entries() []Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries[:len(c.entries):len(c.entries)]
}

// Tools returns the tools that the model is shown. They must not be changed.
func (c *Conversation) Tools() []Tool { return c.c.Tools }

// ID returns the id of the conversation.
func (c *Conversation) ID() string { return c.c.ID }

// Model returns the id of the model.
func (c *Conversation) Model() string { return c.c.Name }

// System returns what the model is told about itself.
func (c *Conversation) System() string { return c.c.System }

// add appends to the history.
func (c *Conversation) add(ctx context.Context, entries ...Entry) error {
	c.mu.Lock()
	c.entries = append(c.entries, entries...)
	c.mu.Unlock()
	if c.c.Store == nil {
		return nil
	}
	return c.c.Store.Append(context.WithoutCancel(ctx), entries) // it was said, whoever goes away now
}

// entry makes an entry of a message.
func (c *Conversation) entry(m llm.Message) Entry {
	return Entry{ID: "msg_" + c.c.Effects.NewID(), Message: m, At: c.c.Effects.Now(), tokens: c.size(m)}
}
