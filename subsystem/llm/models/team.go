package models

import (
	"context"

	"github.com/sre-go/sre/value"
)

// Settings of a team that hold its own models, as JSON text or as an object.
const (
	settingEnterprise = "custom-llm"
	settingCustom     = "user-custom-llm"
)

// own returns the models of the candidate's team. What cannot be read is left out: a broken setting of a team keeps
// nobody from the catalogue.
func (h *Handle) own(ctx context.Context) []Model {
	s := h.service
	if s.accounts == nil {
		return nil
	}
	settings, err := s.accounts.For(h.candidate).TeamSettings(ctx)
	if err != nil {
		return nil // nobody's models: whoever has no team has none
	}
	list := h.read(ctx, settings, settingEnterprise, enterprise)
	return append(list, h.read(ctx, settings, settingCustom, custom)...)
}

// read reads the models of one setting. entry makes an entry of a catalogue of each.
func (h *Handle) read(ctx context.Context, settings value.Value, key string, entry func(value.Value) value.Value) []Model {
	var list []Model
	for _, m := range h.object(ctx, settings.Get(key), key).Members() {
		id := m.Value.GetString("name")
		if id == "" {
			id = m.Key
		}
		model, err := read(id, entry(m.Value), value.Value{})
		if err != nil {
			h.service.log.WarnContext(ctx, "a model of a team is left out", "candidate", h.candidate.String(), "setting", key, "reason", err.Error())
			continue
		}
		model.TeamOwn = true
		list = append(list, model)
	}
	return list
}

// object reads a setting that is an object or the JSON text of one.
func (h *Handle) object(ctx context.Context, v value.Value, key string) value.Value {
	text, ok := v.Str()
	if !ok || text == "" {
		return v
	}
	parsed, err := value.Parse(text)
	if err != nil {
		h.service.log.WarnContext(ctx, "the models of a team cannot be read", "candidate", h.candidate.String(), "setting", key, "reason", err.Error())
	}
	return parsed
}

// custom turns a model that a user described into an entry.
func custom(v value.Value) value.Value {
	out := v.Without("contextWindow", "maxOutputTokens").
		With("tokens", orInt(v.Get("contextWindow"), 8192)).
		With("completionTokens", orInt(v.Get("maxOutputTokens"), 8192))
	return out.With("tags", tagged("Custom", v.Get("tags")))
}

// enterprise turns a model of a cloud account into an entry.
func enterprise(v value.Value) value.Value {
	settings := v.Get("settings")
	id := settings.GetString("customModel")
	if id == "" {
		id = settings.GetString("foundationModel")
	}
	out := v.With("modelId", value.Of(id)).With("tags", tagged("Enterprise", v.Get("tags"))).
		With("tokens", value.OfInt(100000)).With("completionTokens", value.OfInt(4096))
	switch v.GetString("provider") {
	case "Bedrock":
		out = out.With("credentials", value.Of("bedrock_vault"))
	case "VertexAI":
		out = out.With("credentials", value.Of("vertexai_vault"))
	}
	return out
}

func orInt(v value.Value, otherwise int) value.Value {
	if count(v) > 0 {
		return v
	}
	return value.OfInt(otherwise)
}

func tagged(first string, tags value.Value) value.Value {
	return value.Strings(append([]string{first}, texts(tags)...))
}
