package llm

import (
	"context"
	"slices"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/llm/models"
	"github.com/sre-go/sre/value"
)

// target finds a model and the connector of its provider.
func (h *Handle) target(ctx context.Context, id string, inline *models.Model) (models.Model, provider, error) {
	var none provider
	if !h.ready() {
		err := fault.Newf(fault.Unsupported, "no models can be asked")
		return models.Model{}, none, fault.Hint(err, "configure a connector for LLM")
	}
	var m models.Model
	switch {
	case inline != nil:
		m = *inline
		m.TeamOwn = true
	case id == "":
		return m, none, fault.Hint(fault.Newf(fault.Invalid, "no model is named"), "set model to one of the catalogue")
	default:
		var err error
		m, err = h.service.models.For(h.candidate).Find(ctx, id)
		if listless, p := h.direct(id); err != nil && p.conn != nil && (fault.Is(err, fault.NotFound) || fault.Is(err, fault.Unsupported)) {
			return listless, p, nil
		}
		if err != nil {
			return m, none, err
		}
	}
	p, ok := h.service.provider(m.Provider)
	if !ok {
		err := fault.New(fault.Unsupported, schema.UnknownName("provider", m.Provider, h.service.names))
		return m, none, fault.Hint(err, "model %q needs a connector of that id in the service LLM", m.ID)
	}
	return m, p, nil
}

// direct reads "provider/model", which needs no entry in a catalogue. Its sizes are not known.
func (h *Handle) direct(id string) (models.Model, provider) {
	name, model, ok := strings.Cut(id, "/")
	p, known := h.service.provider(name)
	if !ok || !known || model == "" {
		return models.Model{}, provider{}
	}
	return models.Model{ID: id, Provider: p.id, ModelID: model, Label: id, Features: []string{models.FeatureText, models.FeatureTools}, TeamOwn: true}, p
}

// resolve makes a call of a request. refused is an access token that the provider did not take, empty for none.
func (h *Handle) resolve(ctx context.Context, req *Request, refused secret.Value) (*Call, provider, error) {
	m, p, err := h.target(ctx, req.Model, req.Inline)
	if err != nil {
		return &Call{Request: *req, Target: m}, p, err
	}
	call := &Call{Request: *req, Target: m}
	if call.Credential, err = h.credential(ctx, &m, refused); err != nil {
		return call, p, err
	}
	call.defaults(m.Params)
	call.MaxTokens = m.FitOutput(call.MaxTokens)
	if _, literal := p.conn.(Literal); call.Format.JSON && !literal && len(call.Messages) > 0 {
		call.Messages = AskJSON(call.Messages)
	}
	return call, p, call.check()
}

// defaults takes what the request leaves open from the parameters of the model.
func (c *Call) defaults(params value.Value) {
	if c.MaxTokens == 0 {
		c.MaxTokens = whole(params.Get("maxTokens"))
	}
	fill(&c.Temperature, params.Get("temperature"))
	fill(&c.TopP, params.Get("topP"))
	fill(&c.FrequencyPenalty, params.Get("frequencyPenalty"))
	fill(&c.PresencePenalty, params.Get("presencePenalty"))
	if n := whole(params.Get("topK")); c.TopK == nil && n != 0 {
		c.TopK = &n
	}
	if c.Stop == nil {
		c.Stop = StopTexts(params.Get("stopSequences"))
	}
	if c.Verbosity == "" {
		c.Verbosity = params.GetString("verbosity")
	}
	if c.Reasoning.Effort == "" {
		c.Reasoning.Effort = params.GetString("reasoningEffort")
	}
}

// check refuses what no provider could answer.
func (c *Call) check() error {
	if len(c.Messages) == 0 {
		return fault.Newf(fault.Invalid, "there is no message to answer")
	}
	for i, t := range c.Tools {
		if t.Name == "" {
			return fault.Newf(fault.Invalid, "tool %d has no name", i)
		}
		if slices.ContainsFunc(c.Tools[:i], func(o ToolSpec) bool { return o.Name == t.Name }) {
			return fault.Newf(fault.Invalid, "two tools have the name %q", t.Name)
		}
	}
	return nil
}

func fill(to **float64, v value.Value) {
	if n, ok := v.Num(); ok && *to == nil {
		*to = &n
	}
}

func whole(v value.Value) int {
	n, ok := v.Num()
	if !ok || !(n >= 1 && n <= 1<<40) {
		return 0
	}
	return int(n)
}

// StopTexts reads texts that end an answer: a list, or a text with commas or line ends between them.
func StopTexts(v value.Value) []string {
	items := v.Items()
	if text, ok := v.Str(); ok {
		for _, s := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' }) {
			items = append(items, value.Of(s))
		}
	}
	var out []string
	for _, it := range items {
		if s := strings.TrimSpace(it.Plain()); s != "" {
			out = append(out, s)
		}
	}
	return out
}
