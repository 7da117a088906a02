package sre

import (
	"context"
	"encoding/hex"
	"slices"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/agent"
	"github.com/sre-go/sre/internal/conversation"
	"github.com/sre-go/sre/internal/redact"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// converse holds the conversation of a component: one prompt, to its end. The agent whose skills are the tools asks the
// model, or the agent of the component.
func (rt *Runtime) converse(ctx context.Context, t agent.Talk) (string, error) {
	asking := &Agent{t.By, rt}
	id := "conv_" + rt.newUUID()
	cfg := conversation.Config{
		ID: id, Name: t.Model, System: t.System, Limits: rt.Limits(), Effects: rt.effects, Tokens: &rt.tokens,
	}
	name := t.Assistant
	if t.With != nil {
		asking = &Agent{t.With, rt}
		doc := asking.Document()
		if cfg.Name == "" {
			cfg.Name, _ = doc.DefaultModel.Str()
		}
		if name == "" {
			name = doc.Name
		}
		if cfg.System == "" {
			cfg.System = doc.Behavior
		}
		cfg.Tools = asking.tools(id, t.Run)
		cfg.Bound = func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx = access.WithActing(ctx, access.Acting{Candidate: asking.Candidate(), Team: asking.Team(), Run: id})
			return rt.budgets.bound(ctx, asking.ID(), asking.Team())
		}
	}
	if cfg.Name == "" {
		return "", fault.Hint(fault.Newf(fault.Invalid, "no model is chosen"), "set model to one of sre models")
	}
	if name != "" {
		cfg.System = "Assistant Name : " + name + "\n\n" + cfg.System
	}
	handle := asking.Services().LLM()
	info, err := handle.Describe(ctx, cfg.Name)
	if err != nil {
		return "", err
	}
	cfg.Model, cfg.MaxInput = handle, info.Model.ContextTokens
	tools := t.Tools
	if t.MCP != "" {
		session, err := rt.openMCP(ctx, &Agent{t.By, rt}, t.MCP, t.Call)
		if err != nil {
			return "", err
		}
		defer session.Close() // it waits, and does not fail
		tools = append(slices.Clip(tools), session.Tools()...)
	}
	for _, tool := range tools {
		cfg.Tools = append(cfg.Tools, asking.given(tool))
	}
	chat, err := conversation.New(cfg, nil)
	if err != nil {
		return "", err
	}
	headers := value.Obj(value.M("X-CACHE-ID", value.Of("llm_cache_"+rt.effects.NewID())), value.M("x-conversation-id", value.Of(id)))
	said := ""
	for e, err := range chat.Prompt(ctx, conversation.Prompt{Text: t.Prompt, Headers: headers}) {
		if err != nil {
			return "", err
		}
		if end, ok := e.(conversation.End); ok {
			said = end.Text
		}
	}
	return said, nil
}

// given is a tool of a component. What a service echoes of a key goes neither to the model nor to whoever reads.
func (a *Agent) given(t component.Tool) conversation.Tool {
	if t.Name == conversation.ReadMore { // a stranger's tool does not stand in for ours
		t.Name += "_"
	}
	return conversation.Tool{
		ToolSpec: llm.ToolSpec{Name: t.Name, Description: t.Description, Parameters: t.Parameters},
		Do: func(ctx context.Context, u conversation.Use) (value.Value, error) {
			result, err := t.Do(ctx, component.ToolUse{Args: u.Args, Headers: u.Headers})
			if err != nil {
				return value.Value{}, a.withoutSecrets(err)
			}
			return redact.Value(a.Redactor(), result), nil
		},
	}
}

// newUUID is a random UUID, the form that conversations have had for those who receive their id.
func (rt *Runtime) newUUID() string {
	var b [16]byte
	rt.effects.Random(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
