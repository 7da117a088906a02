package models

import (
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// FromValue reads a model that a caller describes by itself instead of naming one: {provider, modelId, ...}. It is
// trusted no further than the caller is.
func FromValue(v value.Value) (Model, error) {
	m, err := read(v.GetString("modelId"), v, value.Value{})
	m.TeamOwn = true
	return m, err
}

// read reads an entry. base is what an alias refers to, absent for none: its members are laid over the entry.
func read(id string, v, alias value.Value) (Model, error) {
	if !v.IsObject() {
		return Model{}, fault.Newf(fault.Invalid, "model %q is described by %s, not an object", id, v.Kind())
	}
	if _, ok := v.Get("modelId").Str(); !ok && alias.IsAbsent() {
		return Model{}, fault.Newf(fault.Invalid, "model %q has no modelId", id)
	}
	if p := v.Get("provider"); !p.IsNil() && p.Kind() != value.String {
		return Model{}, fault.Newf(fault.Invalid, "the provider of model %q must be a string", id)
	}
	merged := lay(lay(lay(v, alias), alias.Get("keyOptions")), v.Get("keyOptions"))
	m := Model{
		ID: id, ModelID: merged.GetString("modelId"), Provider: merged.GetString("provider"), Label: merged.GetString("label"),
		Tags: texts(merged.Get("tags")), Features: texts(merged.Get("features")),
		ContextTokens: count(merged.Get("tokens")), OutputTokens: count(merged.Get("completionTokens")),
		Interface: merged.GetString("interface"), BaseURL: merged.GetString("baseURL"),
		Credentials: merged.Get("credentials"), Params: merged.Get("params"), Settings: merged.Get("settings"),
		Prices:   pricesOf(merged.Get("prices")),
		Fallback: merged.GetString("fallbackLLM"), Hidden: merged.Get("hidden").Truthy(), Entry: v,
	}
	if m.Provider == "" {
		m.Provider = merged.GetString("llm")
	}
	if m.Label == "" {
		m.Label = id
	}
	return m, nil
}

// lay returns v with the members of over in place of its own.
func lay(v, over value.Value) value.Value {
	for _, m := range over.Members() {
		v = v.With(m.Key, m.Value)
	}
	return v
}

// texts reads a list of texts; what is no text is left out.
func texts(v value.Value) []string {
	var out []string
	for _, it := range v.Items() {
		if s, ok := it.Str(); ok {
			out = append(out, s)
		}
	}
	return out
}

// count reads a number of tokens; what is none is 0.
func count(v value.Value) int {
	n, ok := v.Num()
	if !ok || !(n >= 1 && n <= 1<<40) {
		return 0
	}
	return int(n)
}

// single reports whether an object is one entry and not a map of them.
func single(v value.Value) bool {
	_, ok := v.Get("modelId").Str()
	return ok
}

// fold is how ids are compared when no exact one exists.
func fold(id string) string { return strings.ToLower(id) }
