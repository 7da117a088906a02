package sre

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/conversation"
	"github.com/sre-go/sre/internal/openapi"
	"github.com/sre-go/sre/internal/planner"
	"github.com/sre-go/sre/internal/redact"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// Chat is a conversation with an agent: a model that uses the skills of the agent as tools. Prompts are answered one at a
// time; see [conversation.Conversation.Prompt] for what it promises.
type Chat = conversation.Conversation

// Prompt is what somebody says in a chat.
type Prompt = conversation.Prompt

// ChatOptions say how a conversation is held. The zero ChatOptions ask the agent's own model.
type ChatOptions struct {
	Model     string // id of the model; "" for that of the agent's file
	System    string // replaces the behavior of the agent's file
	Mode      Mode   // how the model goes about it
	ID        string // of the conversation, "" for a new one; the tools are told it
	MaxInput  int    // tokens that the model is shown, 0 for what it can take
	MaxOutput int    // tokens of one answer, 0 for the usual
	MaxCalls  int    // of tools for one prompt, 0 for the limit of the runtime
	Parallel  int    // tools at once, 0 for the usual
	Raw       bool   // tell what the provider sends

	Settings llm.Request // temperature and so on; its messages and tools do not count
	Tools    []conversation.Tool
	History  []conversation.Entry
	Store    conversation.Store

	// Keep keeps what is said in the data folder, under an id of the runtime, for User. Resume is the id of a
	// conversation that was kept, which goes on and is kept further.
	Keep   bool
	Resume string
	User   string

	shelf conversation.Shelf
}

// Mode is how a model goes about a prompt.
type Mode string

// The modes.
const (
	DirectMode  Mode = ""        // it answers, with tools
	PlannerMode Mode = "planner" // it plans first and keeps a list of tasks, see package planner
)

// DefaultModel is asked when neither the caller nor the agent names a model: it needs no key.
const DefaultModel = "Echo"

// Chat begins a conversation, or goes on with one whose history is given. It asks models with the credentials of the
// agent's team.
func (a *Agent) Chat(ctx context.Context, o ChatOptions) (*Chat, error) {
	doc := a.Document()
	name := o.Model
	if name == "" && o.Resume != "" {
		kept, err := a.FindChat(ctx, o.User, o.Resume)
		if err != nil {
			return nil, err
		}
		name = kept.Model
	}
	if name == "" {
		name, _ = doc.DefaultModel.Str()
	}
	if name == "" {
		name = DefaultModel
	}
	handle := a.Services().LLM()
	info, err := handle.Describe(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := a.keep(ctx, &o, name); err != nil {
		return nil, err
	}
	cfg := conversation.Config{
		ID: o.ID, Model: handle, Name: name, System: a.systemPrompt(o.System), Settings: o.Settings, Raw: o.Raw,
		MaxInput: o.MaxInput, MaxOutput: o.MaxOutput, MaxCalls: o.MaxCalls, Parallel: o.Parallel,
		Store: o.Store, Shelf: o.shelf, Limits: a.runtime.Limits(), Effects: a.runtime.effects, Tokens: &a.runtime.tokens,
	}
	cfg.Bound = func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx = access.WithActing(ctx, access.Acting{Candidate: a.Candidate(), Team: a.Team(), Run: o.ID})
		return a.runtime.budgets.bound(ctx, a.ID(), a.Team())
	}
	if cfg.MaxInput == 0 && info.Model.ContextTokens > 0 {
		cfg.MaxInput = info.Model.ContextTokens
	}
	cfg.Tools = append(a.tools(o.ID, a.Run), o.Tools...)
	switch o.Mode {
	case DirectMode:
	case PlannerMode:
		cfg.System += "\n\n" + planner.Instruction()
		cfg.Tools = append(cfg.Tools, planner.New(o.History).Tools()...)
	default:
		return nil, fault.New(fault.Invalid, schema.UnknownName("mode", string(o.Mode), []string{"default", string(PlannerMode)}))
	}
	return conversation.New(cfg, o.History)
}

// systemPrompt is what the model is told about itself.
func (a *Agent) systemPrompt(instead string) string {
	doc := a.Document()
	if instead == "" {
		instead = doc.Behavior
	}
	if doc.Name == "" {
		return instead
	}
	return "Assistant Name : " + doc.Name + "\n\n" + instead
}

// tools are the skills of the agent. A call of one is a run of the agent like any other, with the rights of the agent
// and nobody else's.
func (a *Agent) tools(chat string, run runSkill) []conversation.Tool {
	var out []conversation.Tool
	for _, t := range openapi.Tools(a.Document()) {
		label := t.Status
		if label == "" {
			label = "Calling " + t.Name
		}
		out = append(out, conversation.Tool{
			ToolSpec: llm.ToolSpec{Name: t.Name, Description: t.Description, Parameters: t.Parameters},
			Label:    label,
			Check:    func(args value.Value) error { return checkArgs(t.Inputs, args) },
			Do: func(ctx context.Context, u conversation.Use) (value.Value, error) {
				return a.useSkill(ctx, t, chat, u, run)
			},
		})
	}
	return out
}

// checkArgs compares arguments with the declared inputs. Their types are converted where the skill receives them.
func checkArgs(inputs []component.NodePort, args value.Value) error {
	known := make([]string, len(inputs))
	var missing []string
	for i, in := range inputs {
		known[i] = in.Name
		if !in.Optional && in.DefaultVal.IsNil() && args.Get(in.Name).IsAbsent() {
			missing = append(missing, in.Name)
		}
	}
	if len(missing) > 0 {
		return fault.Newf(fault.Invalid, "arguments are missing: %s", strings.Join(missing, ", "))
	}
	for _, m := range args.Members() {
		if !slices.Contains(known, m.Key) {
			return fault.New(fault.Invalid, schema.UnknownName("argument", m.Key, known))
		}
	}
	return nil
}

// runSkill runs a request to the agent, on whose behalf ever.
type runSkill func(context.Context, Request) (Response, error)

// useSkill runs a skill with the arguments of a model.
func (a *Agent) useSkill(ctx context.Context, t openapi.Tool, chat string, u conversation.Use, run runSkill) (value.Value, error) {
	headers := u.Headers
	if !headers.IsObject() {
		headers = value.Obj()
	}
	if !headers.Has("x-conversation-id") {
		headers = headers.With("x-conversation-id", value.Of(chat))
	}
	req := Request{Method: t.Method, Path: "/api/" + t.Name, Headers: headers}
	if u.Of != nil && a.sharesContext() {
		var err error
		if req.Own, err = a.share(ctx, u.Of); err != nil {
			return value.Value{}, err
		}
	}
	if t.Method == "GET" {
		req.Query = u.Args
	} else {
		req.Body = u.Args
	}
	shown := &screened{agent: a, show: u.Show}
	req.Deltas = shown.delta
	res, err := run(ctx, req)
	shown.end()
	if err != nil {
		return value.Value{}, a.withoutSecrets(err)
	}
	// What a service echoes of its key goes neither to the provider of the model nor into the history.
	data := redact.Value(a.Redactor(), res.Data)
	if res.Status >= 400 {
		return value.Value{}, fmt.Errorf("%s", data.Get("error").Text())
	}
	return data, nil
}

// withoutSecrets is an error that holds no secret of the team.
func (a *Agent) withoutSecrets(err error) error {
	if text := err.Error(); a.Redactor().Text(text) != text {
		return errors.New(a.Redactor().Text(text))
	}
	return err
}

// screened passes on what a skill shows, without the secrets of the team.
type screened struct {
	agent *Agent
	show  func(text, thinking string)

	mu             sync.Mutex // components of one run speak at the same time
	text, thinking *redact.Stream
}

func (s *screened) delta(d component.Delta) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.text == nil {
		by := s.agent.Redactor()
		s.text, s.thinking = redact.NewStream(by), redact.NewStream(by)
	}
	s.pass(s.text.Next(d.Content), s.thinking.Next(d.Thinking))
}

func (s *screened) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.text != nil {
		s.pass(s.text.End(), s.thinking.End())
	}
}

func (s *screened) pass(text, thinking string) {
	if text != "" || thinking != "" {
		s.show(text, thinking)
	}
}
