package models

import (
	"slices"

	"github.com/sre-go/sre/value"
)

// Names of features, as catalogues spell them.
const (
	FeatureText       = "text"
	FeatureTools      = "tools"
	FeatureImage      = "image" // images as input
	FeatureDocument   = "document"
	FeatureAudio      = "audio"
	FeatureVideo      = "video"
	FeatureSearch     = "search"
	FeatureReasoning  = "reasoning"
	FeatureEmbeddings = "embeddings"
	FeatureMakeImage  = "image-generation"
)

// Sizes in tokens that are assumed when an entry does not tell.
const (
	defaultContext = 1024
	defaultOutput  = 512
)

// Model is one entry of a catalogue. It is immutable and may be shared.
type Model struct {
	ID       string // of the entry: what agents name
	Provider string // id of the connector of the LLM service
	ModelID  string // what the provider calls it
	Label    string
	Tags     []string
	Features []string

	ContextTokens int // input and output together, 0 when the entry does not tell
	OutputTokens  int // 0 when the entry does not tell

	Interface   string      // which of several interfaces of the provider, "" for its usual one
	BaseURL     string      // of the provider's interface, "" for its usual one
	Credentials value.Value // a mode, a list of modes in order, or an object of texts; absent for the usual ones
	Params      value.Value // defaults of a request: temperature, maxTokens and so on
	Settings    value.Value // what the provider needs to know besides, such as a region
	Fallback    string      // id of the model to ask when this one fails, "" for none

	Prices Prices

	Hidden  bool
	TeamOwn bool // of a team's settings or of a caller, not of the operator
	// Entry is the entry as it was read, with what this type does not know, such as prices.
	Entry value.Value
}

// Has reports whether the model has a feature.
func (m *Model) Has(feature string) bool { return slices.Contains(m.Features, feature) }

// MaxContext returns how many tokens input and output may have together.
func (m *Model) MaxContext() int {
	if m.ContextTokens > 0 {
		return m.ContextTokens
	}
	return defaultContext
}

// MaxOutput returns how many tokens an answer may have.
func (m *Model) MaxOutput() int {
	switch {
	case m.OutputTokens > 0:
		return m.OutputTokens
	case m.ContextTokens > 0:
		return m.ContextTokens
	}
	return defaultOutput
}

// FitOutput returns how many tokens of an answer to ask for when n are wanted; 0 wants as many as the model can give.
// A model that does not tell its sizes gets what is wanted.
func (m *Model) FitOutput(n int) int {
	if n <= 0 {
		return m.MaxOutput()
	}
	if m.OutputTokens == 0 && m.ContextTokens == 0 {
		return n
	}
	return min(n, m.MaxOutput())
}

// Echo is the model that answers with what it is asked. It needs no key and no network.
func Echo() Model {
	return Model{
		ID: "Echo", Provider: "Echo", ModelID: "Echo", Label: "Echo", Features: []string{FeatureText},
		ContextTokens: 128000, OutputTokens: 128000, Credentials: value.Of("none"),
		Entry: value.Obj(
			value.M("provider", value.Of("Echo")), value.M("modelId", value.Of("Echo")), value.M("label", value.Of("Echo")),
			value.M("features", value.Strings([]string{FeatureText})), value.M("tokens", value.OfInt(128000)),
			value.M("completionTokens", value.OfInt(128000)), value.M("credentials", value.Of("none")),
		),
	}
}

// Builtin returns the entries that a catalogue begins with, by id.
func Builtin() value.Value {
	all, err := value.Parse(catalogue)
	if err != nil { // a test reads it
		all = value.Obj()
	}
	return value.OfMembers(append([]value.Member{value.M("Echo", Echo().Entry)}, all.Members()...))
}
